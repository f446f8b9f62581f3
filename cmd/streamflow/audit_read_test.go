//go:build unix

package main

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The audits read the stores with the vendors' clients, by no code of ours: a
// fault of the program's readers must not hide one of its writers.

// brokers says where Kafka is.
func (w *world) brokers() kgo.Opt { return kgo.SeedBrokers(strings.Split(w.kafka, ",")...) }

// kafkaLog reads all committed records of a topic, by partition.
func (w *world) kafkaLog(topic string) map[int32][]*kgo.Record {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	// Marks of transactions are kept, because the last offset may be one.
	client, err := kgo.NewClient(w.brokers(), kgo.ConsumeTopics(topic), kgo.KeepControlRecords(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, topic)
	if err != nil {
		w.t.Fatalf("ends of %s: %v", topic, err)
	}
	open := make(map[int32]int64)
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			open[o.Partition] = o.Offset
		}
	})
	records := make(map[int32][]*kgo.Record)
	for len(open) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			w.t.Fatalf("read %s: %v (ends %v)", topic, err, open)
		}
		for r := range fetches.RecordsAll() {
			end, ok := open[r.Partition]
			if ok && !r.Attrs.IsControl() {
				records[r.Partition] = append(records[r.Partition], r)
			}
			if ok && r.Offset >= end-1 {
				delete(open, r.Partition)
			}
		}
	}
	return records
}

// stored is a message of a stream.
type stored struct {
	subject  string
	data     []byte
	header   nats.Header
	sequence uint64
	at       time.Time // when it was stored
}

// jetstream connects to JetStream.
func (w *world) jetstream() jetstream.JetStream {
	w.t.Helper()
	nc, err := nats.Connect("nats://" + w.nats)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		w.t.Fatal(err)
	}
	return js
}

// stream reads all that a stream holds, message by message.
func (w *world) stream(name string) (messages []stored) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := w.jetstream().Stream(ctx, name)
	if err != nil {
		w.t.Fatalf("stream %s: %v", name, err)
	}
	if s.CachedInfo().State.Msgs == 0 {
		return nil
	}
	c, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		w.t.Fatal(err)
	}
	in, err := c.Messages()
	if err != nil {
		w.t.Fatal(err)
	}
	defer in.Stop()
	for {
		m, err := in.Next(jetstream.NextContext(ctx))
		if err != nil {
			w.t.Fatalf("stream %s after %d messages: %v", name, len(messages), err)
		}
		meta, err := m.Metadata()
		if err != nil {
			w.t.Fatal(err)
		}
		messages = append(messages, stored{m.Subject(), m.Data(), m.Headers(), meta.Sequence.Stream, meta.Timestamp})
		if meta.NumPending == 0 {
			return messages
		}
	}
}

// only returns the messages whose subject begins with prefix.
func only(messages []stored, prefix string) (some []stored) {
	for _, m := range messages {
		if strings.HasPrefix(m.subject, prefix) {
			some = append(some, m)
		}
	}
	return some
}

// tickRow is a row of table stock_ticks.
type tickRow struct {
	place
	symbol   string
	price    float64
	volume   int64
	time     time.Time
	bid, ask *float64
}

func (w *world) sql(ctx context.Context) *pgx.Conn {
	w.t.Helper()
	conn, err := pgx.Connect(ctx, w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// table reads table stock_ticks.
func (w *world) table() []tickRow {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn := w.sql(ctx)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT kafka_partition, kafka_offset, symbol, price, volume, time, bid, ask FROM stock_ticks`)
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r tickRow, err error) {
		return r, row.Scan(&r.partition, &r.offset, &r.symbol, &r.price, &r.volume, &r.time, &r.bid, &r.ask)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// positions reads how far the archive says that it has come.
func (w *world) positions() map[int32]int64 {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn := w.sql(ctx)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT partition, kafka_offset FROM positions WHERE function = 'archive' AND topic = 'stock_ticks'`)
	if err != nil {
		w.t.Fatal(err)
	}
	positions := make(map[int32]int64)
	var partition int32
	var offset int64
	if _, err := pgx.ForEachRow(rows, []any{&partition, &offset}, func() error { positions[partition] = offset; return nil }); err != nil {
		w.t.Fatal(err)
	}
	return positions
}
