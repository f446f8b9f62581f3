package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"streamflow"
	"streamflow/bridge"
	"streamflow/functions"
)

type workerCmd struct {
	Functions []string `arg:"" optional:"" help:"Functions to run: archive, deadletter; all of them if none is named."`
	kafkaFlags
	natsFlags
	postgresFlags
	metricsFlags
	rowFlags
}

// Help is shown by --help.
func (workerCmd) Help() string {
	return `archive stores every tick in table stock_ticks, exactly once; deadletter publishes what the bridge refused to topic TOPIC_dlq, exactly once. Start a second worker as a standby: it takes over within seconds when the first one dies.`
}

// Run works until ctx ends.
func (c *workerCmd) Run(ctx context.Context, log *slog.Logger) error {
	all := []string{streamflow.FunctionArchive, streamflow.FunctionDeadLetter}
	if len(c.Functions) == 0 {
		c.Functions = all
	}
	s := servers{c.kafkaFlags, c.natsFlags, c.postgresFlags}
	registry := newRegistry()
	metrics, bridgeMetrics := functions.NewMetrics(registry), bridge.NewMetrics(nil)
	var parts []part
	for _, name := range c.Functions {
		var more []part
		var err error
		switch name {
		case streamflow.FunctionArchive:
			more, err = archiveParts(ctx, s, c.KeepRows, log, metrics)
		case streamflow.FunctionDeadLetter:
			var p part
			p, err = newDeadLetters(s, log, metrics, bridgeMetrics)
			more = []part{p}
		default:
			err = fmt.Errorf("there is no function %q; there are: %v", name, all)
		}
		if err != nil {
			return err
		}
		parts = append(parts, more...)
	}
	serve, err := c.part(registry)
	if err != nil {
		return err
	}
	return runParts(ctx, log, slices.Concat(parts, serve)...)
}
