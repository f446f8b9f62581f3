package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"streamflow"
	"streamflow/infra/postgres"
)

type exportCmd struct {
	What    string   `arg:"" help:"ticks or candles." enum:"ticks,candles"`
	Symbols []string `arg:"" name:"symbol" help:"Symbols, one after the other."`
	postgresFlags
	topicFlags
	From     string `help:"Where it begins, by event time: a time (2025-01-02, 2025-01-02T15:04:05Z), or an age such as 2h or 30d; without it at the oldest." placeholder:"TIME"`
	To       string `help:"Where it ends, not included; without it at the newest." placeholder:"TIME"`
	Interval string `short:"i" help:"Interval of the candles: 1s, 1m, 5m, 15m, 1h, 1d." default:"1m" placeholder:"I"`
	Format   string `help:"csv or ndjson (one JSON object a line); auto goes by the name of --out, and is csv without." enum:"auto,csv,ndjson" default:"auto"`
	Out      string `short:"o" help:"File to write; one whose name ends with .gz is compressed. Without it the standard output." placeholder:"FILE"`
}

// Help is shown by --help.
func (exportCmd) Help() string {
	return `Writes a range of what the database holds, the oldest first, page by page: memory does not grow with the range. The file appears when it is whole. "streamflow ingest" reads ticks back, from either form.

  streamflow export ticks AAPL MSFT --from 2025-01-02 --to 2025-01-03 -o ticks.csv.gz
  streamflow export candles AAPL -i 5m --from 30d | duckdb -c "COPY (FROM read_csv('/dev/stdin')) TO 'aapl.parquet'"`
}

// Run writes the range.
func (c *exportCmd) Run(ctx context.Context, log *slog.Logger) error {
	from, to, err := c.span(time.Now())
	if err != nil {
		return err
	}
	for _, s := range c.Symbols {
		if !streamflow.ValidSymbol(s) {
			return fmt.Errorf("%q is not a symbol", s)
		}
	}
	interval, err := streamflow.ParseInterval(c.Interval)
	if err != nil {
		return fmt.Errorf("--interval: %w", err)
	}
	db, err := c.postgresFlags.connect(ctx, "export", c.Topic)
	if err != nil {
		return err
	}
	defer db.Close()
	out, err := openExport(c.Out)
	if err != nil {
		return err
	}
	rows := exportRows{w: out, json: c.Format == "ndjson" || c.Format == "auto" && (strings.Contains(c.Out, "json"))}
	for i := 0; i < len(c.Symbols) && err == nil; i++ {
		if c.What == "candles" {
			err = rows.candles(ctx, db, postgres.CandlesQuery{Symbol: c.Symbols[i], Interval: interval, From: from, To: to, Limit: postgres.MaxCandles, OldestFirst: true})
		} else {
			err = rows.ticks(ctx, db, postgres.TicksQuery{Symbol: c.Symbols[i], From: from, To: to, Limit: postgres.MaxTicks, OldestFirst: true})
		}
	}
	if err = out.close(err); err != nil {
		return err
	}
	log.Info("exported", "rows", rows.count, "what", c.What, "symbols", len(c.Symbols))
	return nil
}

func (c *exportCmd) span(now time.Time) (from, to time.Time, err error) {
	if from, err = moment(c.From, now); err != nil {
		return from, to, fmt.Errorf("--from: %w", err)
	}
	if to, err = moment(c.To, now); err != nil {
		return from, to, fmt.Errorf("--to: %w", err)
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		err = fmt.Errorf("--from %s is not before --to %s", c.From, c.To)
	}
	return from, to, err
}

// moment reads a time or an age; "" is the zero time.
func moment(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil {
			return t, nil
		}
	}
	d, err := age(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a time (2025-01-02, 2025-01-02T15:04:05Z) nor an age (30d, 2h)", s)
	}
	return now.Add(-d), nil
}

// exportFile is a file that appears when it is whole, or the standard output.
type exportFile struct {
	*bufio.Writer
	gzip *gzip.Writer // nil unless the name asks for it
	file *os.File
	name string // "" for the standard output
}

func openExport(name string) (*exportFile, error) {
	e := &exportFile{file: os.Stdout, name: name}
	if name != "" {
		var err error
		if e.file, err = os.Create(name + ".part"); err != nil {
			return nil, fmt.Errorf("--out: %w", err)
		}
	}
	var w io.Writer = e.file
	if strings.HasSuffix(name, ".gz") {
		e.gzip = gzip.NewWriter(e.file)
		w = e.gzip
	}
	e.Writer = bufio.NewWriterSize(w, 256<<10)
	return e, nil
}

// close ends the file: whole, or after err not at all.
func (e *exportFile) close(err error) error {
	err = errors.Join(err, e.Flush())
	if e.gzip != nil {
		err = errors.Join(err, e.gzip.Close())
	}
	if e.name == "" {
		return err
	}
	if err == nil {
		err = e.file.Sync()
	}
	if err = errors.Join(err, e.file.Close()); err == nil {
		return os.Rename(e.name+".part", e.name)
	}
	return errors.Join(err, os.Remove(e.name+".part"))
}
