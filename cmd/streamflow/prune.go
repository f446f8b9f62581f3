package main

import (
	"context"
	"log/slog"
	"time"

	"streamflow"
	"streamflow/functions"
)

// archiveParts are the archive and, if rows are not kept for ever, what prunes them.
func archiveParts(ctx context.Context, s servers, keep time.Duration, log *slog.Logger, m *functions.Metrics) ([]part, error) {
	p, err := newArchive(ctx, s, log, m)
	if err != nil {
		return nil, err
	}
	parts := []part{p}
	if keep > 0 {
		parts = append(parts, part{"prune", func(ctx context.Context) error { return prune(ctx, s, keep, log) }, nil})
	}
	return parts, nil
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
