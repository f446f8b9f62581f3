package main

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"streamflow"
)

// TestWrongValues: what a command would take for something else than it says is
// a wrong command line (exit code 2), and the message names the flag.
func TestWrongValues(t *testing.T) {
	dir := t.TempDir()
	for line, want := range map[string]string{
		"simulate --interval 0s":              "--interval is 0s",
		"simulate --symbols=":                 "--symbols is empty",
		"simulate --symbols A,,B":             `--symbols: "" is not a symbol`,
		"simulate --symbols A,B,A":            "A stands there twice",
		"simulate --volatility=-1":            "--volatility is -1",
		"simulate --volatility NaN":           "--volatility is NaN",
		"simulate --rate=-5":                  "--rate is -5",
		"simulate --backfill tomorrow":        "--backfill",
		"simulate events --rate 0":            "--rate is 0",
		"simulate users --rate 200001":        "--rate is 200001",
		"up --keep 0s":                        "--keep is 0s",
		"up --batch 1000":                     "--batch is 1000",
		"up --event-topics nope":              "--event-topics",
		"up --interval=-1s":                   "--interval is -1s",
		"bridge --batch 0":                    "--batch is 0",
		"topics --keep-bytes=-1":              "--keep-bytes is -1",
		"topics --replication 0":              "--replication is 0",
		"rebuild --batch 0":                   "--batch is 0",
		"rebuild --replication 0":             "--replication is 0",
		"verify --keep-rows=-1h":              "--keep-rows is -1h",
		"worker --keep-alerts=-1h":            "--keep-alerts is -1h",
		"tail --count=-1":                     "--count is -1",
		"tail -s A,B!":                        `"B!" is not a symbol`,
		"export ticks AAPL MSFT AAPL":         "AAPL stands there twice",
		"export ticks AAPL -i 1m":             "--interval 1m is for candles",
		"export candles AAPL -i 2m":           "--interval",
		"export ticks AAPL --from 2025-13-1":  "--from",
		"export ticks AAPL --from 2h --to 4h": "not before",
		"export ticks AAPL -o " + dir:         "is a directory",
		"export ticks AAPL -o " + dir + "/x/": "is a directory",
		"functions scale candles 0":           "<shards> is 0",
		"functions scale candles 65":          "<shards> is 65",
		"functions set candles lateness":      `"lateness"`,
		"functions replay candles --from x":   "--from",
		"keys create x --expires soon":        "--expires",
		"ingest --rate=-1":                    "--rate is -1",
		"ingest --follow":                     "--follow is for files",
		"ingest --doubt perhaps":              "--doubt",
		"ingest x --to nowhere":               "--to",
	} {
		var c cli
		parser, err := kong.New(&c, kong.Vars{"symbols": defaultSymbols, "interval": defaultInterval.String(), "group": streamflow.GroupBridge})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
	// Flags may stand behind the parameters.
	if c := parse(t, "functions", "set", "candles", "lateness=2m", "--wait", "0s"); c.Functions.Set.Wait != 0 || len(c.Functions.Set.Params) != 1 {
		t.Errorf("functions set: %+v", c.Functions.Set)
	}
	if c := parse(t, "export", "candles", "AAPL"); c.Export.Interval != "" {
		t.Errorf("export candles: %+v", c.Export)
	}
}

func TestPrice(t *testing.T) {
	for v, want := range map[float64]string{
		1: "1.00", 187.2: "187.20", 246.45: "246.45", 0.5: "0.50", 1.2345: "1.2345", 0.0000123: "0.0000123", 0.00000000123456789: "1.23457e-09",
		65432.125: "65432.125", 187.23456789012: "187.2346", 123456789: "123456789.00", 1e15: "1000000000000000.00",
	} {
		if got := price(v); got != want {
			t.Errorf("price %v: %s, want %s", v, got, want)
		}
	}
}

// TestTailFits: the table of ticks stays within the terminal, and shows no half
// of a number.
func TestTailFits(t *testing.T) {
	var screen bytes.Buffer
	for _, c := range []struct{ columns, rows int }{{200, 60}, {83, 24}, {82, 24}, {60, 12}, {20, 6}, {16, 1}} {
		v := &tableView{w: &screen, size: func() (int, int) { return c.columns, c.rows }, rows: map[string]*tableRow{}, began: time.Now()}
		for i := range 30 {
			v.tick(streamflow.Mirrored{
				Tick:     streamflow.Tick{Symbol: "SYM" + string(rune('A'+i%26)) + strings.Repeat("X", i%3), Price: 0.0000123, Volume: 123456789, Time: time.Now()},
				Position: streamflow.Position{Offset: 1 << 40},
			})
		}
		v.refused(streamflow.Position{}, os.ErrInvalid)
		screen.Reset()
		v.draw()
		lines := strings.Split(strings.TrimSuffix(strings.TrimPrefix(screen.String(), "\x1b[H"), "\x1b[J"), "\x1b[K\r\n")
		if len(lines) > max(c.rows, 6) {
			t.Errorf("%v: %d lines", c, len(lines))
		}
		for _, l := range lines {
			if n := len([]rune(l)); n > c.columns {
				t.Errorf("%v: %d columns: %s", c, n, l)
			}
			if strings.HasPrefix(l, "SYM") {
				for _, f := range strings.Fields(l)[1:] {
					if f != "0.0000123" && f != "+0.00%" && f != "123456789" && f != "0" && f != "1099511627776" && !strings.Contains(f, ":") {
						t.Errorf("%v: half a field %q in %s", c, f, l)
					}
				}
			}
		}
	}
	if line := tailLine(math.MaxInt, streamflow.Mirrored{Tick: streamflow.Tick{Symbol: "SHIB", Price: 0.0000123}}, 0.0000123, 5); !strings.Contains(line, " 0.0000123 ") {
		t.Error(line)
	}
}

// TestLogDurations: a log for programs writes durations as one for people does.
func TestLogDurations(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	newLogger(f, "info", "json").Info("waiting", "at_most", 53*time.Second, slog.Group("a", "took", time.Millisecond))
	text, err := os.ReadFile(f.Name())
	if err != nil || !strings.Contains(string(text), `"at_most":"53s"`) || !strings.Contains(string(text), `"took":"1ms"`) {
		t.Errorf("%s, %v", text, err)
	}
}
