package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/kafka"
)

const (
	lookBack     = 2000 // records of each partition
	lookBackTime = 5 * time.Second
)

// lastPrices returns the newest prices that stand near the end of the topic, so
// that a simulator that starts again goes on from them. A symbol that is not
// there begins where the simulator begins it.
func lastPrices(ctx context.Context, s servers, log *slog.Logger) (map[string]float64, error) {
	prices := make(map[string]float64)
	registry, err := s.registryOfSchemas()
	if err != nil {
		return nil, err
	}
	probe, err := kafka.Connect(ctx, s.config("simulate", log))
	if err != nil {
		return nil, err
	}
	defer probe.Close()
	starts, ends, err := kafka.Marks(ctx, probe, s.Topic)
	if err != nil {
		return nil, err
	}
	from, open := make(map[int32]kgo.Offset), make(map[int32]int64)
	for p, end := range ends {
		if end > starts[p] {
			from[p], open[p] = kgo.NewOffset().At(max(end-lookBack, starts[p])), end
		}
	}
	if len(open) == 0 {
		return prices, nil
	}
	client, err := kafka.Connect(ctx, s.config("simulate", log), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.Topic: from}))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	// What cannot be read in time is not worth waiting for: the end of a log may
	// be the mark of a transaction, which nobody is shown.
	ctx, cancel := context.WithTimeout(ctx, lookBackTime)
	defer cancel()
	for len(open) > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return prices, nil
			}
			return nil, err
		}
		for r := range fetches.RecordsAll() {
			if t, err := decodeTick(ctx, registry, r.Value, r.Key, streamflow.AnyTime); err == nil {
				prices[t.Symbol] = t.Price
			}
			if r.Offset >= open[r.Partition]-1 {
				delete(open, r.Partition)
			}
		}
	}
	return prices, nil
}
