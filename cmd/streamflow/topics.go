package main

import (
	"context"
	"fmt"
	"log/slog"
)

type topicsCmd struct {
	kafkaFlags
	natsFlags
	postgresFlags
	layout
}

// Help is shown by --help.
func (topicsCmd) Help() string {
	return `Creates what is missing and adjusts limits that differ; may be run at any time and by several processes at once. It refuses, naming the difference, what it cannot change safely: the number of partitions, a stream's subjects, storage or retention policy, a migration that was changed.`
}

// Run ensures and reports.
func (c *topicsCmd) Run(ctx context.Context, log *slog.Logger) error {
	changes, err := c.ensure(ctx, servers{kafkaFlags: c.kafkaFlags, natsFlags: c.natsFlags, postgresFlags: c.postgresFlags}, log)
	for _, change := range changes {
		fmt.Println(change)
	}
	if err == nil && len(changes) == 0 {
		fmt.Println("everything is as it should be")
	}
	return err
}
