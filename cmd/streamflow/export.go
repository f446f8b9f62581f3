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
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

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
	Interval string `short:"i" help:"Interval of the candles: 1s, 1m, 5m, 15m, 1h, 1d; 1m unless told." placeholder:"I"`
	Format   string `help:"csv, ndjson (one JSON object a line) or parquet; auto goes by the name of --out (.csv, .ndjson, .json, .jsonl, .parquet), and is csv without." enum:"auto,csv,ndjson,parquet" default:"auto"`
	Out      string `short:"o" help:"File to write; one whose name ends with .gz is compressed. Without it the standard output." placeholder:"FILE"`
}

// Help is shown by --help.
func (exportCmd) Help() string {
	return `Writes a range of what the database holds, the oldest first, page by page: memory does not grow with the range. The file appears when it is whole. "streamflow ingest" reads ticks back, from CSV and NDJSON.

  streamflow export ticks AAPL MSFT --from 2025-01-02 --to 2025-01-03 -o ticks.csv.gz
  streamflow export candles AAPL -i 5m --from 30d -o aapl.parquet
  streamflow export ticks AAPL --format parquet > aapl.parquet`
}

// Validate refuses what cannot be exported as it is asked for.
func (c *exportCmd) Validate() error {
	if err := validSymbols("", c.Symbols); err != nil {
		return err
	}
	if s, ok := twice(c.Symbols); ok {
		return fmt.Errorf("symbol %s stands there twice: its rows would too", s)
	}
	if c.What == "ticks" && c.Interval != "" {
		return fmt.Errorf("--interval %s is for candles: ticks have none", c.Interval)
	}
	if _, err := c.interval(); err != nil {
		return err
	}
	if info, err := os.Stat(c.Out); err == nil && info.IsDir() || strings.HasSuffix(c.Out, string(filepath.Separator)) {
		return fmt.Errorf("--out %s is a directory: name a file in it", c.Out)
	}
	if _, _, err := c.span(time.Now()); err != nil {
		return err
	}
	_, err := c.format(false)
	return err
}

func (c *exportCmd) interval() (streamflow.Interval, error) {
	if c.Interval == "" {
		return streamflow.Minute1, nil
	}
	interval, err := streamflow.ParseInterval(c.Interval)
	if err != nil {
		return interval, fmt.Errorf("--interval: %w", err)
	}
	return interval, nil
}

// Run writes the range.
func (c *exportCmd) Run(ctx context.Context, log *slog.Logger) error {
	from, to, err := c.span(time.Now())
	if err != nil {
		return err
	}
	interval, err := c.interval()
	if err != nil {
		return err
	}
	format, err := c.format(term.IsTerminal(int(os.Stdout.Fd())))
	if err != nil {
		return err
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
	span := exportSpan{interval, from, to, log}
	var rows int
	if c.What == "candles" {
		rows, err = span.candles(ctx, db, c.Symbols, newCandleRows(format, out))
	} else {
		rows, err = span.ticks(ctx, db, c.Symbols, newTickRows(format, out))
	}
	if err = out.close(err); err != nil {
		return err
	}
	log.Info("exported", "rows", rows, "what", c.What, "symbols", len(c.Symbols))
	return nil
}

// exportSpan is what is exported of each symbol.
type exportSpan struct {
	interval streamflow.Interval // of candles
	from, to time.Time
	log      *slog.Logger
}

// count adds the rows of a symbol. One without any may be a typing error.
func (s exportSpan) count(rows *int, symbol string, n int) {
	if *rows += n; n == 0 {
		s.log.Warn("nothing is stored of a symbol in that time: is it written as in `GET /api/stocks`?", "symbol", symbol)
	}
}

func (s exportSpan) ticks(ctx context.Context, db *postgres.DB, symbols []string, to rowWriter[streamflow.Mirrored]) (rows int, err error) {
	for _, symbol := range symbols {
		n, err := exportTicks(ctx, db, postgres.TicksQuery{Symbol: symbol, From: s.from, To: s.to, Limit: postgres.MaxTicks, OldestFirst: true}, to)
		if err != nil {
			return rows + n, err
		}
		s.count(&rows, symbol, n)
	}
	return rows, to.Close()
}

func (s exportSpan) candles(ctx context.Context, db *postgres.DB, symbols []string, to rowWriter[streamflow.Candle]) (rows int, err error) {
	for _, symbol := range symbols {
		n, err := exportCandles(ctx, db, postgres.CandlesQuery{Symbol: symbol, Interval: s.interval, From: s.from, To: s.to, Limit: postgres.MaxCandles, OldestFirst: true}, to)
		if err != nil {
			return rows + n, err
		}
		s.count(&rows, symbol, n)
	}
	return rows, to.Close()
}

// The formats of an export.
const (
	formatCSV     = "csv"
	formatNDJSON  = "ndjson"
	formatParquet = "parquet"
)

// format returns the format to write, by --format or the name of the file.
// terminal says that the standard output is one.
func (c *exportCmd) format(terminal bool) (string, error) {
	name, packed := strings.CutSuffix(strings.ToLower(c.Out), ".gz")
	format := c.Format
	if format == "auto" {
		switch filepath.Ext(name) {
		case ".parquet":
			format = formatParquet
		case ".ndjson", ".json", ".jsonl":
			format = formatNDJSON
		default:
			format = formatCSV
		}
	}
	switch {
	case format == formatParquet && packed:
		return "", fmt.Errorf("--out %s: what is in a Parquet file is compressed, and no reader takes one in .gz: leave .gz away", c.Out)
	case format == formatParquet && c.Out == "" && terminal:
		return "", errors.New("--format parquet: this is no text for a terminal: name a file with --out, or redirect the standard output")
	}
	return format, nil
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
