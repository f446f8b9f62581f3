package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/kafka"
	"streamflow/infra/simulate"
)

// load sends ticks at a steady rate and remembers when each was sent.
type load struct {
	client *kgo.Client
	topic  string
	market *simulate.Market
	rate   int
	sent   atomic.Int64
	mu     sync.Mutex
	marks  map[int32][]mark // by partition, in the order of the offsets
}

// mark is when the tick at an offset was sent.
type mark struct {
	offset int64
	at     time.Time
}

func newLoad(ctx context.Context, s servers, symbols, rate int) (*load, error) {
	client, err := kafka.Connect(ctx, s.config("bench", slog.New(slog.DiscardHandler)),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.ProducerLinger(0), kgo.MaxProduceRequestsInflightPerBroker(1),
		kgo.MaxBufferedRecords(200_000), kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	if err != nil {
		return nil, err
	}
	return &load{
		client: client, topic: s.Topic, rate: rate, marks: make(map[int32][]mark),
		market: simulate.NewMarket(simulate.Config{Symbols: benchSymbols(symbols), Seed: 1}),
	}, nil
}

// slice is how often the load looks at what is due.
const slice = 2 * time.Millisecond

func (l *load) run(ctx context.Context) error {
	failed := make(chan error, 1)
	promise := func(r *kgo.Record, err error) {
		if err != nil {
			select {
			case failed <- err:
			default:
			}
			return
		}
		l.mu.Lock()
		l.marks[r.Partition] = append(l.marks[r.Partition], mark{r.Offset, r.Context.Value(sentAt{}).(time.Time)})
		l.mu.Unlock()
	}
	ticker := time.NewTicker(slice)
	defer ticker.Stop()
	start, n := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-ticker.C:
		}
		due := int(time.Since(start).Seconds() * float64(l.rate))
		if due > n {
			// One context for what is sent at one moment.
			now := time.Now()
			moment := context.WithValue(context.WithoutCancel(ctx), sentAt{}, now)
			for ; n < due; n++ {
				tick := l.market.Step(n%l.market.Symbols(), now)
				l.client.Produce(moment, &kgo.Record{Topic: l.topic, Key: []byte(tick.Symbol), Value: tick.AppendJSON(nil)}, promise)
				l.sent.Add(1)
			}
		}
	}
}

// sentAt is the key under which a record's context holds when it was sent.
type sentAt struct{}

// done takes the marks of a partition up to an offset.
func (l *load) done(partition int32, offset int64, fn func(sent time.Time)) int64 {
	l.mu.Lock()
	marks := l.marks[partition]
	n := 0
	for n < len(marks) && marks[n].offset <= offset {
		n++
	}
	done := marks[:n]
	l.marks[partition] = marks[n:]
	l.mu.Unlock()
	for _, m := range done {
		fn(m.at)
	}
	return int64(n)
}

func (l *load) close() { l.client.Close() }
