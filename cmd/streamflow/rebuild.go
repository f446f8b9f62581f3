package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

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
	schemaFlags `group:"Schema registry"`
	Yes         bool `help:"Do not ask."`
}

// Help is shown by --help.
func (rebuildCmd) Help() string {
	return `Deletes the streams TICKS and DLQ, makes them anew, mirrors all that Kafka holds into them, and verifies. The system may run meanwhile: bridges begin anew by themselves, functions skip what they have done, and nothing is stored twice.`
}

// Validate refuses what cannot be meant.
func (c *rebuildCmd) Validate() error {
	return cmp.Or(c.bridgeFlags.Validate(), c.rowFlags.Validate(), c.streamLayout.Validate())
}

// Run rebuilds.
func (c *rebuildCmd) Run(ctx context.Context, log *slog.Logger) error {
	if !c.Yes && !confirm("This deletes the streams TICKS and DLQ and makes them anew from Kafka. Go on?") {
		return fmt.Errorf("nothing was done; --yes does not ask")
	}
	s := servers{kafkaFlags: c.kafkaFlags, natsFlags: c.natsFlags, postgresFlags: c.postgresFlags, schemaFlags: c.schemaFlags}
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
	goals, err := f.goals(ctx, client, s.Topic)
	if err != nil {
		return err
	}
	if err := sameHistory(ctx, s, client, log); err != nil {
		return err
	}
	js, err := s.natsFlags.connect("rebuild", log)
	if err != nil {
		return err
	}
	defer js.Close()
	// All that can be refused is, before anything is deleted.
	p, err := newBridge(s, f, log, nil, bridge.NewMetrics(nil))
	if err != nil {
		return err
	}
	if err = js.DeleteStreams(ctx); err == nil {
		_, err = js.Ensure(ctx, limits)
	}
	if err != nil {
		p.close()
		return err
	}
	show := progress("rebuild")
	reach := part{"mark", func(ctx context.Context) error { return reached(ctx, js, goals, show) }, nil}
	return runParts(ctx, log, p, reach)
}

// goal is how far a partition is to be mirrored into a stream.
type goal struct {
	p      streamflow.Partition
	stream string
	mark   int64
}

// goals returns where the topics of all routes end. One of events may be
// missing: nobody has to have it.
func (f bridgeFlags) goals(ctx context.Context, client *kgo.Client, ticks string) (goals []goal, err error) {
	routes, err := f.routes(ticks)
	if err != nil {
		return nil, err
	}
	for _, route := range routes {
		_, end, err := kafka.Marks(ctx, client, route.Topic)
		if errors.Is(err, kerr.UnknownTopicOrPartition) && route.Topic != ticks {
			continue
		}
		if err != nil {
			return nil, err
		}
		for number, mark := range end {
			goals = append(goals, goal{streamflow.Partition{Topic: route.Topic, Number: number}, route.Stream, mark})
		}
	}
	return goals, nil
}

// reached returns when the cursors have come to the goals.
func reached(ctx context.Context, js *jetstream.Client, goals []goal, show func(done, total int64)) error {
	mirrors := map[string]*jetstream.Mirror{streamflow.StreamTicks: js.Ticks(), streamflow.StreamEvents: js.Events()}
	for ctx.Err() == nil {
		var done, total int64
		for _, g := range goals {
			cur, err := mirrors[g.stream].Cursor(ctx, g.p)
			if err != nil {
				return err
			}
			done += min(cur.Next, g.mark)
			total += g.mark
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
