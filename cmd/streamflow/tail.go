package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/term"

	"streamflow"
	"streamflow/infra/kafka"
)

type tailCmd struct {
	kafkaFlags
	natsFlags
	schemaFlags `group:"Schema registry"`
	From        string   `help:"Where to read: kafka (what was produced) or jetstream (what was mirrored and committed)." enum:"kafka,jetstream" default:"kafka"`
	Symbol      []string `short:"s" help:"Only these symbols."`
	JSON        bool     `name:"json" help:"One JSON object a line, for pipes."`
	Lines       bool     `help:"One line a tick instead of a table, also on a terminal."`
	Count       int      `short:"n" help:"Stop after so many ticks; 0 is never." default:"0"`
}

// Help is shown by --help.
func (tailCmd) Help() string {
	return `Shows ticks from now on. On a terminal: a table with one line a symbol, newest figures, redrawn four times a second. In a pipe: one line a tick. Ticks that the bridge will refuse are shown with the reason when reading from Kafka.`
}

// Validate refuses what would be waited for in vain.
func (c *tailCmd) Validate() error {
	if c.Count < 0 {
		return fmt.Errorf("--count is %d, want 0, for no end, or more", c.Count)
	}
	return validSymbols("--symbol: ", c.Symbol)
}

// errEnough ends the tail after --count ticks.
var errEnough = errors.New("enough")

// Run shows ticks until ctx ends.
func (c *tailCmd) Run(ctx context.Context, log *slog.Logger) error {
	view := c.view()
	defer view.close()
	wanted := make(map[string]bool)
	for _, s := range c.Symbol {
		wanted[s] = true
	}
	seen := 0
	show := func(m streamflow.Mirrored) error {
		if len(wanted) > 0 && !wanted[m.Tick.Symbol] {
			return nil
		}
		view.tick(m)
		if seen++; seen == c.Count {
			return errEnough
		}
		return nil
	}
	var err error
	if c.From == "kafka" {
		err = c.fromKafka(ctx, log, show, view.refused)
	} else {
		err = c.fromJetStream(ctx, log, show)
	}
	if errors.Is(err, errEnough) || ctx.Err() != nil {
		return nil
	}
	return err
}

func (c *tailCmd) fromKafka(ctx context.Context, log *slog.Logger, show func(streamflow.Mirrored) error, refused func(streamflow.Position, error)) error {
	registry, err := c.registryOfSchemas()
	if err != nil {
		return err
	}
	client, err := kafka.Connect(ctx, c.config("tail", log),
		kgo.ConsumeTopics(c.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, e := range fetches.Errors() {
			return fmt.Errorf("topic %s: %w", e.Topic, e.Err)
		}
		for r := range fetches.RecordsAll() {
			p := streamflow.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
			t, err := decodeTick(ctx, registry, r.Value, r.Key, time.Now())
			if err != nil {
				refused(p, err)
				continue
			}
			if err := show(streamflow.Mirrored{Tick: t, Position: p, Stored: r.Timestamp}); err != nil {
				return err
			}
		}
	}
}

func (c *tailCmd) fromJetStream(ctx context.Context, log *slog.Logger, show func(streamflow.Mirrored) error) error {
	js, err := c.natsFlags.connect("tail", log)
	if err != nil {
		return err
	}
	defer js.Close()
	last, err := js.Ticks().Head(ctx)
	if err != nil {
		return err
	}
	return js.Feed().Follow(ctx, last, func(batch []streamflow.Mirrored) error {
		for _, m := range batch {
			if err := show(m); err != nil {
				return err
			}
		}
		return nil
	})
}

// view is how ticks are shown.
type view interface {
	tick(streamflow.Mirrored)
	refused(streamflow.Position, error)
	close()
}

func (c *tailCmd) view() view {
	switch {
	case c.JSON:
		return jsonView{json.NewEncoder(os.Stdout)}
	case !c.Lines && term.IsTerminal(int(os.Stdout.Fd())):
		return newTableView(os.Stdout, terminalSize)
	}
	return &lineView{last: make(map[string]float64)}
}

// terminalSize returns the size of the terminal at the standard output; the
// classic one if it does not tell.
func terminalSize() (columns, rows int) {
	columns, rows, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}

// jsonView writes one object a line.
type jsonView struct{ enc *json.Encoder }

func (v jsonView) tick(m streamflow.Mirrored) {
	_ = v.enc.Encode(struct {
		Tick      streamflow.Tick `json:"tick"`
		Partition int32           `json:"partition"`
		Offset    int64           `json:"offset"`
		Sequence  uint64          `json:"seq,omitempty"`
	}{m.Tick, m.Position.Partition, m.Position.Offset, m.Sequence})
}

func (v jsonView) refused(p streamflow.Position, err error) {
	_ = v.enc.Encode(map[string]any{"refused": err.Error(), "partition": p.Partition, "offset": p.Offset})
}

func (jsonView) close() {}
