package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"streamflow"
	"streamflow/bridge"
)

// bridgeFlags are those of the bridge wherever it runs.
type bridgeFlags struct {
	Group       string   `help:"Kafka consumer group that shares the partitions among bridges." default:"${group}" env:"CONSUMER_GROUP"`
	Batch       int      `help:"Messages in one batch at most, up to 999." default:"999" env:"BRIDGE_BATCH"`
	EventTopics []string `help:"Topics that are mirrored beside that of the ticks: events, user-events; none if empty." default:"events,user-events" env:"EVENT_TOPICS"`
	Trim        bool     `help:"Hold the streams to their limits on age and bytes. One process must; its NATS user may purge." default:"true" negatable:"" env:"TRIM_STREAMS"`
	maskFlags
}

// Validate refuses what no bridge can do.
func (f *bridgeFlags) Validate() error {
	if f.Batch < 1 || f.Batch > 999 {
		return fmt.Errorf("--batch is %d, want 1 to 999", f.Batch)
	}
	_, err := f.routes(streamflow.TopicTicks)
	return err
}

// routes returns the routes of the bridge, without their targets.
func (f bridgeFlags) routes(ticks string) ([]streamflow.Route, error) {
	routes := []streamflow.Route{streamflow.TickRoute(ticks)}
	for _, topic := range f.EventTopics {
		switch topic {
		case streamflow.TopicEvents:
			routes = append(routes, streamflow.EventRoute(topic))
		case streamflow.TopicUserEvents:
			routes = append(routes, streamflow.UserEventRoute(topic))
		case "": // an empty variable
		default:
			return nil, fmt.Errorf("--event-topics: there is no route for topic %q; there are %s and %s", topic, streamflow.TopicEvents, streamflow.TopicUserEvents)
		}
	}
	return routes, nil
}

type bridgeCmd struct {
	kafkaFlags
	natsFlags
	bridgeFlags
	schemaFlags `group:"Schema registry"`
	metricsFlags
	traceFlags `group:"Traces"`
}

// Help is shown by --help.
func (bridgeCmd) Help() string {
	return `Mirrors every good tick to ticks.<SYMBOL> in stream TICKS, and every good event of the other topics to events.<topic>.<type> in stream EVENTS, exactly once and in the order of its partition, and every bad one to stream DLQ with the reason. Run as many as there are partitions; they share them. Kill one at any moment: another goes on from the cursor in JetStream after about 6 seconds.

E-mail addresses of topic user-events are masked before they enter a stream, by HMAC-SHA-256 with the key MASK_KEY; so the same user has the same mask, and who has no key cannot tell whose it is.`
}

// Run mirrors until ctx ends.
func (c *bridgeCmd) Run(ctx context.Context, log *slog.Logger) error {
	registry := newRegistry()
	s := servers{kafkaFlags: c.kafkaFlags, natsFlags: c.natsFlags, schemaFlags: c.schemaFlags}
	parts, err := c.part(registry, s.kafkaProbe(log), s.natsProbe(log))
	if err != nil {
		return err
	}
	var traces []part
	if s.tracer, traces, err = c.tracer("streamflow-bridge", log, registry); err != nil {
		return err
	}
	p, err := newBridge(s, c.bridgeFlags, log, registry, bridge.NewMetrics(registry))
	if err != nil {
		return err
	}
	return runParts(ctx, log, slices.Concat([]part{p}, parts, traces)...)
}
