package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/kafka"
)

// sameHistory refuses a topic that does not reach as far as the database has
// stored it. It was made anew, or has lost its tail: then its offsets count other
// records than those that the database and the functions have done, who would
// leave out as many of the new ones. To make JetStream anew of it would hide
// that, because the streams' cursors know which topic they were written for.
func sameHistory(ctx context.Context, s servers, client *kgo.Client, log *slog.Logger) error {
	db, err := s.postgresFlags.connect(ctx, "rebuild", s.Topic)
	if err != nil {
		return err
	}
	defer db.Close()
	positions, err := db.Positions(ctx, streamflow.FunctionArchive)
	if err != nil {
		// A database without tables has stored nothing.
		log.Warn("how far the database is cannot be read", "error", err)
		return nil
	}
	_, ends, err := kafka.Marks(ctx, client, s.Topic) // after the positions, which are never ahead of it
	if err != nil {
		return err
	}
	for p, last := range positions {
		if end := ends[p.Number]; p.Topic == s.Topic && last >= end {
			return fmt.Errorf("%s/%d ends at offset %d, and the database has stored it up to %d: the topic was made anew or has lost its tail; "+
				"nothing was done, for archive and functions would leave out what stands at offsets that they have done: see \"A topic made anew\" in docs/operations.md",
				p.Topic, p.Number, end, last)
		}
	}
	return nil
}
