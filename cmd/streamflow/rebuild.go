package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"streamflow"
	"streamflow/bridge"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
)

type rebuildCmd struct {
	kafkaFlags
	natsFlags
	postgresFlags
	bridgeFlags
	verifyFlags
	streamLayout
	Yes bool `help:"Do not ask."`
}

// Help is shown by --help.
func (rebuildCmd) Help() string {
	return `Deletes the streams TICKS and DLQ, makes them anew, mirrors all that Kafka holds into them, and verifies. The system may run meanwhile: bridges begin anew by themselves, functions skip what they have done, and nothing is stored twice.`
}

// Run rebuilds.
func (c *rebuildCmd) Run(ctx context.Context, log *slog.Logger) error {
	if !c.Yes && !confirm("This deletes the streams TICKS and DLQ and makes them anew from Kafka. Go on?") {
		return fmt.Errorf("nothing was done; --yes does not ask")
	}
	s := servers{c.kafkaFlags, c.natsFlags, c.postgresFlags}
	if err := rebuild(ctx, s, c.bridgeFlags, c.limits(), log); err != nil {
		return err
	}
	return verify(ctx, s, c.verifyFlags, log)
}

func confirm(question string) bool {
	fmt.Fprint(os.Stderr, question, " [y/N] ")
	var answer string
	_, _ = fmt.Scanln(&answer)
	return answer == "y" || answer == "yes"
}

// rebuild makes the streams anew and mirrors Kafka into them up to where it
// ends now. It takes part in the bridges' group, so it also works alone.
func rebuild(ctx context.Context, s servers, f bridgeFlags, limits jetstream.Limits, log *slog.Logger) error {
	client, err := kafka.Connect(ctx, s.config("rebuild", log))
	if err != nil {
		return err
	}
	defer client.Close()
	_, end, err := kafka.Marks(ctx, client, s.Topic)
	if err != nil {
		return err
	}
	js, err := s.natsFlags.connect("rebuild", log)
	if err != nil {
		return err
	}
	defer js.Close()
	if err := js.DeleteStreams(ctx); err != nil {
		return err
	}
	if _, err := js.Ensure(ctx, limits); err != nil {
		return err
	}
	p, err := newBridge(s, f.Group, f.Batch, log, nil, bridge.NewMetrics(nil))
	if err != nil {
		return err
	}
	show := progress("rebuild")
	reach := part{"mark", func(ctx context.Context) error { return reached(ctx, js, s.Topic, end, show) }, nil}
	return runParts(ctx, log, p, reach)
}

// reached returns when the cursors have come to the mark.
func reached(ctx context.Context, js *jetstream.Client, topic string, end map[int32]int64, show func(done, total int64)) error {
	for ctx.Err() == nil {
		var done, total int64
		for number, mark := range end {
			cur, err := js.Ticks().Cursor(ctx, streamflow.Partition{Topic: topic, Number: number})
			if err != nil {
				return err
			}
			done += min(cur.Next, mark)
			total += mark
		}
		show(done, total)
		if done >= total {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}
