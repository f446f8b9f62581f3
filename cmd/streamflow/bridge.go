package main

import (
	"context"
	"log/slog"

	"streamflow/bridge"
)

// bridgeFlags are those of the bridge wherever it runs.
type bridgeFlags struct {
	Group string `help:"Kafka consumer group that shares the partitions among bridges." default:"${group}" env:"CONSUMER_GROUP"`
	Batch int    `help:"Messages in one batch at most, up to 999." default:"999" env:"BRIDGE_BATCH"`
}

type bridgeCmd struct {
	kafkaFlags
	natsFlags
	bridgeFlags
	metricsFlags
}

// Help is shown by --help.
func (bridgeCmd) Help() string {
	return `Mirrors every good tick of the topic to ticks.<SYMBOL> in stream TICKS, exactly once and in the order of its partition, and every bad one to stream DLQ with the reason. Run as many as there are partitions; they share them. Kill one at any moment: another goes on from the cursor in JetStream after about 6 seconds.`
}

// Run mirrors until ctx ends.
func (c *bridgeCmd) Run(ctx context.Context, log *slog.Logger) error {
	registry := newRegistry()
	parts, err := c.part(registry)
	if err != nil {
		return err
	}
	p, err := newBridge(servers{kafkaFlags: c.kafkaFlags, natsFlags: c.natsFlags}, c.Group, c.Batch, log, registry, bridge.NewMetrics(registry))
	if err != nil {
		return err
	}
	return runParts(ctx, log, append([]part{p}, parts...)...)
}
