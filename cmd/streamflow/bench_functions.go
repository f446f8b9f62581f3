package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"streamflow"
)

type benchFunctionsCmd struct {
	Ticks   int           `help:"Ticks of the prefilled stream." default:"150000"`
	Symbols int           `help:"How many symbols they are of." default:"500"`
	Rules   int           `help:"Rules of function alerts: ten for each symbol, the others for one symbol each." default:"100"`
	Rate    int           `help:"Ticks a second of the steady feed; 0 leaves it out." default:"50000"`
	For     time.Duration `help:"How long to feed at that rate." default:"10s"`
	Dir     string        `help:"Directory for the server's data; a temporary one if empty."`
	JSON    bool          `name:"json" help:"Print JSON."`
}

// Help is shown by --help.
func (benchFunctionsCmd) Help() string {
	return `Starts NATS on file storage in this process, writes realistic ticks into TICKS as the bridge would, and lets each function read them from the first to the last, alone and then all together, as a worker runs them; beside them a loop that only reads and acknowledges. Then ticks come at a steady rate while all run. What a step costs and what a symbol takes is measured without a server; compare --symbols 10000 --rules 1000 with the default.`
}

// functionsFigures are the outcome.
type functionsFigures struct {
	Ticks   int            `json:"ticks"`
	Symbols int            `json:"symbols"`
	Rules   int            `json:"rules"`
	Ways    []wayFigures   `json:"ways"`
	Steps   []stepFigures  `json:"steps"`
	Steady  *steadyFigures `json:"steady,omitempty"`
}

// wayFigures are those of one way through the prefilled stream. CPU is that of
// the server, too.
type wayFigures struct {
	Name      string  `json:"name"`
	PerSecond float64 `json:"ticks_per_second"`
	CPU       float64 `json:"cpu_seconds"`
}

// steadyFigures are those of a feed at a rate. Lag is that of the slowest function.
type steadyFigures struct {
	Rate      int     `json:"rate"`
	Sent      float64 `json:"sent_per_second"`
	Seconds   float64 `json:"seconds"`
	LagFirst  uint64  `json:"lag_first"`
	LagLast   uint64  `json:"lag_last"`
	LagMost   uint64  `json:"lag_most"`
	CPU       float64 `json:"cpu_cores"`
	Sustained bool    `json:"sustained"`
}

// hot are the functions that see every tick.
var hot = []string{streamflow.FunctionCandles, streamflow.FunctionIndicators, streamflow.FunctionAlerts}

// Run measures and prints.
func (c *benchFunctionsCmd) Run(ctx context.Context, log *slog.Logger) error {
	if c.Symbols < 10 || c.Symbols > 17_000 || c.Ticks < 1 || c.Rules < 0 {
		return fmt.Errorf("bench functions: want --symbols 10 to 17000, --ticks from 1, and --rules from 0")
	}
	f := &functionsFigures{Ticks: c.Ticks, Symbols: c.Symbols, Rules: c.Rules}
	var err error
	if f.Steps, err = c.steps(ctx, log); err != nil {
		return err
	}
	b, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	if f.Ways, err = c.ways(ctx, b, log); err != nil {
		return err
	}
	if c.Rate > 0 {
		if f.Steady, err = c.steady(ctx, b); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	return f.print(os.Stdout)
}

// sampled writes a quantile; a run that is over before there are samples has none.
func sampled(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

func (f *functionsFigures) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d ticks of %d symbols\tticks/s\tCPU s\tCPU µs a tick\t\n", f.Ticks, f.Symbols)
	for _, x := range f.Ways {
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.1f\t\n", x.Name, x.PerSecond, x.CPU, 1e6*x.CPU/float64(f.Ticks))
	}
	fmt.Fprintf(w, "\t\t\t\t\nwithout a server\tsymbols\trules for others\tns a tick\tp50 µs\tp99 µs\tallocs a tick\tMB\tKB a symbol\t\n")
	for _, x := range f.Steps {
		fmt.Fprintf(w, "%s\t%d\t%d\t%.0f\t%s\t%s\t%.3f\t%.1f\t%.1f\t\n",
			x.Name, x.Symbols, x.Others, x.Nanos, sampled(x.P50), sampled(x.P99), x.Allocs, x.MB, 1000*x.MB/float64(x.Symbols))
	}
	if err := w.Flush(); err != nil || f.Steady == nil {
		return err
	}
	s, verdict := f.Steady, "sustained"
	if !s.Sustained {
		verdict = "NOT sustained"
	}
	_, err := fmt.Fprintf(out, "\nall together at %d ticks/s for %.0f s: %s\n  sent %.0f ticks/s; lag %d ticks at the start, %d at the end, %d at most; %.2f cores, server and feed included\n",
		s.Rate, s.Seconds, verdict, s.Sent, s.LagFirst, s.LagLast, s.LagMost, s.CPU)
	return err
}
