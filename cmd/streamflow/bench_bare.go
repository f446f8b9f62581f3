package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"streamflow"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
)

// bare is what a bridge cannot do without: it polls, and commits batches
// with a cursor, one worker a partition. It neither checks a tick nor joins a
// group, counts nothing, and stops at the first error.
func (c *benchBridgeCmd) bare(ctx context.Context, s servers, js *jetstream.Client, _ string) error {
	client, err := kafka.Connect(ctx, s.config("bare", slog.New(slog.DiscardHandler)),
		kgo.ConsumeTopics(s.Topic), kgo.FetchMaxBytes(16<<20), kgo.FetchMaxPartitionBytes(2<<20))
	if err != nil {
		return err
	}
	defer client.Close()
	g, ctx := errgroup.WithContext(ctx)
	var queues [streamflow.TickPartitions]chan []*kgo.Record
	for i := range queues {
		queues[i] = make(chan []*kgo.Record, 1)
		g.Go(func() error { return bareWorker(ctx, js.Ticks(), s.Topic, int32(i), queues[i]) })
	}
	g.Go(func() error {
		for ctx.Err() == nil {
			client.PollRecords(ctx, 12_000).EachPartition(func(p kgo.FetchTopicPartition) {
				if p.Err != nil {
					return // the end, or asked again by the client
				}
				select {
				case queues[p.Partition] <- p.Records:
				case <-ctx.Done():
				}
			})
		}
		return ctx.Err()
	})
	return g.Wait()
}

func bareWorker(ctx context.Context, target *jetstream.Mirror, topic string, number int32, queue chan []*kgo.Record) error {
	p, cur := streamflow.Partition{Topic: topic, Number: number}, streamflow.Start
	messages := make([]streamflow.Message, 0, jetstream.MaxBatch)
	var hops []byte
	for {
		var records []*kgo.Record
		select {
		case <-ctx.Done():
			return ctx.Err()
		case records = <-queue:
		}
		now := time.Now()
		for len(records) > 0 {
			n := min(len(records), jetstream.MaxBatch)
			messages = messages[:0]
			for _, r := range records[:n] {
				hops = streamflow.AppendHop(streamflow.AppendHop(hops[:0], streamflow.HopKafka, r.Timestamp), streamflow.HopBridge, now)
				messages = append(messages, streamflow.Message{
					Subject: "ticks." + string(r.Key), Data: r.Value, Hops: string(hops), Previous: r.Offset - 1,
					Position: streamflow.Position{Topic: topic, Partition: number, Offset: r.Offset},
				})
			}
			cur.Next, cur.Last = records[n-1].Offset+1, records[n-1].Offset
			fence, err := target.Commit(ctx, p, messages, cur)
			if err != nil {
				return err
			}
			cur.Fence, records = fence, records[n:]
		}
	}
}
