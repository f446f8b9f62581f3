package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// doctorCmd examines a deployment. It only reads.
type doctorCmd struct {
	kafkaFlags
	natsFlags
	postgresFlags
	streamLayout
	Group   string        `help:"Kafka consumer group of the bridges." default:"${group}" env:"CONSUMER_GROUP"`
	DataDir string        `help:"Directory of the embedded servers; its disk is looked at if it is there." default:"./data" env:"DATA_DIR"`
	Watch   time.Duration `help:"How long bridge and functions are watched, to see whether they move." default:"3s"`
	MaxSkew time.Duration `help:"By how much clocks may differ; ten times as much fails." default:"500ms"`
	JSON    bool          `name:"json" help:"Print JSON."`
}

// Help is shown by --help.
func (doctorCmd) Help() string {
	return `Asks Kafka, NATS and PostgreSQL, with the addresses and credentials of the other commands, and says of each check what was found and what to do: connections, versions, topics, streams, buckets and migrations held against what "streamflow topics" would make of them (give it the same REPLICATION, KEEP_TICKS and KEEP_BYTES), replication, clocks, disks, lag of the bridge and of each function, dead letters, workers. It changes nothing. Exit code 0 if nothing failed, 3 if something did; warnings do not fail.`
}

// verdict is what a check comes to.
type verdict string

const (
	verdictOK   verdict = "ok"
	verdictWarn verdict = "warn"
	verdictFail verdict = "FAIL"
)

// finding is one line of the report.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Found   string  `json:"found"`
	Do      string  `json:"do,omitempty"`
}

// diagnosis is all that was found.
type diagnosis struct {
	At       time.Time `json:"at"`
	Version  string    `json:"version"` // of this program
	Verdict  verdict   `json:"verdict"` // the worst
	Findings []finding `json:"checks"`
}

func (d *diagnosis) add(check string, v verdict, do, found string) {
	d.Findings = append(d.Findings, finding{check, v, found, do})
	if v == verdictFail || v == verdictWarn && d.Verdict == verdictOK {
		d.Verdict = v
	}
}

func (d *diagnosis) ok(check, format string, args ...any) {
	d.add(check, verdictOK, "", fmt.Sprintf(format, args...))
}

func (d *diagnosis) warn(check, do, format string, args ...any) {
	d.add(check, verdictWarn, do, fmt.Sprintf(format, args...))
}

func (d *diagnosis) fail(check, do, format string, args ...any) {
	d.add(check, verdictFail, do, fmt.Sprintf(format, args...))
}

// most notes how many of many are well. The others have findings of their own.
func (d *diagnosis) most(check string, well, all int, words string) {
	if well > 0 || all == 0 {
		d.ok(check, "%d of %d %s", well, all, words)
	}
}

// unknown notes what could not be measured: a server that is away in between, or
// a right that is missing.
func (d *diagnosis) unknown(check string, err error) {
	d.warn(check, "Give the user the right to look at it, or run the doctor as one who has it.", "could not be measured: %v", err)
}

// errUnwell makes the process end with [exitDifferences].
var errUnwell = fmt.Errorf("%w: something is not well", errDifferences)

// Run examines and prints.
func (c *doctorCmd) Run(ctx context.Context, _ *slog.Logger) error {
	d := c.examine(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(d)
	} else {
		err = d.print(os.Stdout)
	}
	if d.Verdict == verdictFail {
		return errors.Join(errUnwell, err)
	}
	return err
}

// examine makes all checks that can be made: where a server is away, those that
// need it are left out.
func (c *doctorCmd) examine(ctx context.Context) *diagnosis {
	d := &diagnosis{At: time.Now().UTC(), Version: version(), Verdict: verdictOK}
	// What the clients log is what is reported.
	x := &examination{c: c, d: d, log: slog.New(slog.DiscardHandler)}
	defer x.close()
	x.kafka(ctx)
	x.nats(ctx)
	x.postgres(ctx)
	x.localDisk()
	x.flow(ctx)
	return d
}

// print writes the table, and below it what to do.
func (d *diagnosis) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CHECK\tVERDICT\tFOUND")
	counts := make(map[verdict]int)
	for _, f := range d.Findings {
		counts[f.Verdict]++
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Check, f.Verdict, oneLine(f.Found))
		if f.Do != "" {
			fmt.Fprintf(w, "\t\t-> %s\n", oneLine(f.Do))
		}
	}
	fmt.Fprintf(w, "\n%d checks: %d ok, %d to look at, %d failed\n", len(d.Findings), counts[verdictOK], counts[verdictWarn], counts[verdictFail])
	return w.Flush()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// skew judges a clock that is ahead of ours, below 0 behind, as far as half of a
// round trip lets it be known.
func (c *doctorCmd) skew(d *diagnosis, check string, ahead, roundTrip time.Duration) {
	apart := ahead.Abs()
	side := "ahead of"
	if ahead < 0 {
		side = "behind"
	}
	words := fmt.Sprintf("%s %s ours, measured to within %s", apart.Round(time.Microsecond), side, (roundTrip / 2).Round(time.Microsecond))
	const do = "Let NTP or chrony set the clocks of all machines: ages, freshness and time limits are wrong by as much."
	switch {
	case apart-roundTrip/2 > 10*c.MaxSkew:
		d.fail(check, do, "%s", words)
	case apart-roundTrip/2 > c.MaxSkew:
		d.warn(check, do, "%s", words)
	default:
		d.ok(check, "%s", words)
	}
}

// filled judges how full something is: used of total bytes.
func (d *diagnosis) filled(check, do, what string, used, total int64) {
	share := float64(used) / float64(max(total, 1))
	words := fmt.Sprintf("%s: %s of %s are used, %.0f %%", what, bytesInWords(used), bytesInWords(total), 100*share)
	switch {
	case share >= 0.95:
		d.fail(check, do, "%s", words)
	case share >= 0.80:
		d.warn(check, do, "%s", words)
	default:
		d.ok(check, "%s", words)
	}
}

// bytesInWords writes 3221225472 as 3.0 GiB.
func bytesInWords(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1024, 0
	for f >= 1024 && unit < len(units)-1 {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", f, units[unit])
}

// localDisk looks at the disk of the embedded servers, if they are here.
func (x *examination) localDisk() {
	if _, err := os.Stat(x.c.DataDir); err != nil {
		return
	}
	if f, ok := readHost(x.c.DataDir); ok && f.diskSize > 0 {
		x.d.filled("disk here", "Free space on it, or lower KEEP_TICKS, KEEP_BYTES and KEEP_ROWS and run `streamflow topics`.",
			x.c.DataDir, int64(f.diskSize-f.diskFree), int64(f.diskSize))
	}
}
