package main

import (
	"context"
	"log/slog"
	"time"

	"streamflow"
)

// newPrune removes rows that are older than keep.
func newPrune(s servers, keep time.Duration, log *slog.Logger) part {
	return part{"prune", func(ctx context.Context) error { return prune(ctx, s, keep, log) }, nil}
}

const (
	pruneEvery = 10 * time.Minute
	pruneRows  = 20_000 // at a time, so that nobody waits long for the table
)

// prune removes ticks older than keep from time to time.
func prune(ctx context.Context, s servers, keep time.Duration, log *slog.Logger) error {
	db, err := s.postgresFlags.connect(ctx, "prune", s.Topic)
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		for ctx.Err() == nil {
			n, err := db.Prune(ctx, time.Now().Add(-keep), pruneRows)
			if err != nil && ctx.Err() == nil {
				log.Warn("old ticks were not removed", "table", streamflow.TableTicks, "error", err)
			}
			if err != nil || n < pruneRows {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pruneEvery):
		}
	}
}
