package main

import (
	"context"
	"log/slog"
)

type trimCmd struct {
	natsFlags
	metricsFlags
}

// Help is shown by --help.
func (trimCmd) Help() string {
	return `A bridge does this too, unless TRIM_STREAMS is false. Where each part has a user of its own, the bridge's may not purge: this is then a part by itself, as user trim.`
}

// Run trims until ctx ends.
func (c *trimCmd) Run(ctx context.Context, log *slog.Logger) error {
	s := servers{natsFlags: c.natsFlags}
	serve, err := c.part(newRegistry(), s.natsProbe(log))
	if err != nil {
		return err
	}
	trim, err := newTrim(s, log)
	if err != nil {
		return err
	}
	return runParts(ctx, log, append([]part{trim}, serve...)...)
}
