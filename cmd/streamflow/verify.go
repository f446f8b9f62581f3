package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

type verifyCmd struct {
	kafkaFlags
	natsFlags
	postgresFlags
	schemaFlags `group:"Schema registry"`
	verifyFlags
}

// verifyFlags say how to compare.
type verifyFlags struct {
	Wait time.Duration `help:"How long to wait for the bridge and the archive to reach the mark." default:"60s"`
	rowFlags
	JSON bool `name:"json" help:"Print JSON."`
	All  bool `help:"Print every symbol, not only those that differ, if there are many."`
}

// Help is shown by --help.
func (verifyCmd) Help() string {
	return `Notes where each partition ends now, waits until the bridge and the archive have come so far, and then reads everything up to there from Kafka, JetStream and the database: how many ticks of each symbol in each partition, in which range of offsets, and their checksums. Exit code 3 if anything differs. What Kafka or JetStream no longer keep is left out of the comparison and shown as expired.`
}

// Run compares and prints.
func (c *verifyCmd) Run(ctx context.Context, log *slog.Logger) error {
	return verify(ctx, servers{kafkaFlags: c.kafkaFlags, natsFlags: c.natsFlags, postgresFlags: c.postgresFlags, schemaFlags: c.schemaFlags}, c.verifyFlags, log)
}

// verify compares the stores, prints what it found, and returns
// [errDifferences] if they differ.
func verify(ctx context.Context, s servers, f verifyFlags, log *slog.Logger) error {
	report, err := compare(ctx, s, f, log)
	if err != nil {
		return err
	}
	if f.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(report); err != nil {
			return err
		}
	} else {
		report.print(f.All)
	}
	if report.Differences > 0 {
		return errDifferences
	}
	return nil
}

// row is one line of the report.
type row struct {
	tallyKey
	Kafka    tally    `json:"kafka"`
	Stream   tally    `json:"jetstream"`
	Database *tally   `json:"database,omitempty"` // not for dead letters
	Expired  int64    `json:"expired"`            // in Kafka, and no longer kept by JetStream
	Wrong    []string `json:"wrong,omitempty"`
}

// report is the outcome of a comparison.
type report struct {
	Marks       map[int32]int64 `json:"marks"` // the offset up to which each partition was compared
	Rows        []row           `json:"rows"`
	Ticks       int64           `json:"ticks"`
	DeadLetters int64           `json:"dead_letters"`
	Differences int             `json:"differences"`
	Lost        int64           `json:"lost_schemas,omitempty"` // values whose schema the registry has no more; they count as dead letters of Kafka
	Waited      string          `json:"waited,omitempty"`       // what had not come to the mark in time
}

// few is how many lines are shown even if none differs.
const few = 40

func (r *report) print(all bool) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "symbol\tpartition\tkafka\tjetstream\tdatabase\toffsets\tchecksum\texpired\t\t")
	hidden := 0
	for _, row := range r.Rows {
		if len(r.Rows) > few && !all && len(row.Wrong) == 0 {
			hidden++
			continue
		}
		name, database := row.Symbol, "-"
		if name == "" {
			name = "(dead letters)"
		}
		if row.Database != nil {
			database = fmt.Sprint(row.Database.Count)
		}
		verdict := "ok"
		if len(row.Wrong) > 0 {
			verdict = "WRONG: " + strings.Join(row.Wrong, "; ")
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%d-%d\t%016x\t%d\t%s\t\n", name, row.Partition, row.Kafka.Count, row.Stream.Count, database,
			row.Kafka.First, row.Kafka.Last, row.Kafka.Sum, row.Expired, verdict)
	}
	w.Flush()
	if hidden > 0 {
		fmt.Printf("%d more lines are ok; --all shows them\n", hidden)
	}
	if r.Lost > 0 {
		fmt.Printf("The schema registry does not have the schemas of %d values, which the bridge did not refuse: it is another registry, or they were deleted.\n", r.Lost)
	}
	if r.Waited != "" {
		fmt.Println(r.Waited)
	}
	if r.Differences == 0 {
		fmt.Printf("Equal: %d ticks and %d dead letters up to %s.\n", r.Ticks, r.DeadLetters, marks(r.Marks))
		return
	}
	fmt.Printf("%d of %d lines differ, up to %s.\n", r.Differences, len(r.Rows), marks(r.Marks))
}

// marks writes the marks in the order of the partitions.
func marks(m map[int32]int64) string {
	var parts []string
	for p := int32(0); int(p) < len(m); p++ {
		parts = append(parts, fmt.Sprintf("%d:%d", p, m[p]))
	}
	return "offsets " + strings.Join(parts, " ")
}
