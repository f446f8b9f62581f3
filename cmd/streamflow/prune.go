package main

import (
	"context"
	"log/slog"
	"time"

	"streamflow"
	"streamflow/infra/postgres"
)

// newPrune removes rows that are older than they are to be kept.
func newPrune(s servers, keep rowFlags, log *slog.Logger) part {
	return part{"prune", func(ctx context.Context) error { return prune(ctx, s, keep, log) }, nil}
}

const (
	pruneEvery = 10 * time.Minute
	pruneRows  = 20_000 // at a time, so that nobody waits long for the table
)

// prune removes rows from time to time.
func prune(ctx context.Context, s servers, keep rowFlags, log *slog.Logger) error {
	db, err := s.postgresFlags.connect(ctx, "prune", s.Topic)
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		pruneOnce(ctx, db, keep, time.Now(), pruneRows, log)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pruneEvery):
		}
	}
}

// pruneOnce removes what is too old at a time, a limited number of rows in each
// statement. What cannot be removed now stays until the next time.
func pruneOnce(ctx context.Context, db *postgres.DB, keep rowFlags, now time.Time, limit int, log *slog.Logger) {
	for _, p := range []struct {
		table string
		keep  time.Duration
		prune func(before time.Time) (int64, error)
	}{
		{streamflow.TableTicks, keep.KeepRows, func(t time.Time) (int64, error) { return db.Prune(ctx, t, limit) }},
		{streamflow.TableCandles, keep.KeepCandles, func(t time.Time) (int64, error) { return db.PruneCandles(ctx, t, limit) }},
		{streamflow.TableAlerts, keep.KeepAlerts, func(t time.Time) (int64, error) { return db.PruneAlerts(ctx, t, limit) }},
	} {
		for p.keep > 0 && ctx.Err() == nil {
			n, err := p.prune(now.Add(-p.keep))
			if err != nil && ctx.Err() == nil {
				log.Warn("old rows were not removed", "table", p.table, "error", err)
			}
			if err != nil || n < int64(limit) {
				break
			}
		}
	}
}
