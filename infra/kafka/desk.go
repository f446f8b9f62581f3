package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Desk looks at topics and groups, reads single records, and writes what people
// send by hand. It connects when it is first used, so that a part that can do
// without Kafka starts without it. It is safe for concurrent use.
type Desk struct {
	config Config

	turn   chan struct{} // holds one while somebody connects
	mu     sync.Mutex
	client *kgo.Client
	err    error     // of the newest try to connect
	when   time.Time // of that
	closed bool
}

const (
	// deskBuffer is how many records wait for Kafka before more are refused.
	deskBuffer = 20_000
	// deskDelivery is after what time a record that Kafka was not sent is given up.
	deskDelivery = 30 * time.Second
	// deskAgain is how long an absent Kafka is not asked again.
	deskAgain = time.Second
)

// NewDesk returns a desk that is not connected yet.
func NewDesk(c Config) *Desk { return &Desk{config: c, turn: make(chan struct{}, 1)} }

// Close ends the connection. Records that are not confirmed may be lost.
func (d *Desk) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed = true; d.client != nil {
		d.client.Close()
	}
}

func (d *Desk) known() (client *kgo.Client, err error, fresh bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, kgo.ErrClientClosed, true
	}
	return d.client, d.err, d.client != nil || time.Since(d.when) < deskAgain
}

// connected returns the client; many who ask at once connect once.
func (d *Desk) connected(ctx context.Context) (*kgo.Client, error) {
	if client, err, fresh := d.known(); fresh {
		return client, err
	}
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if client, err, fresh := d.known(); fresh {
		return client, err
	}
	client, err := Connect(ctx, d.config,
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(linger), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.RecordPartitioner(givenPartitioner{kgo.StickyKeyPartitioner(nil)}),
		kgo.MaxBufferedRecords(deskBuffer), kgo.RecordDeliveryTimeout(deskDelivery))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.client, d.err, d.when = client, err, time.Now()
	if d.closed && client != nil {
		client.Close()
	}
	return client, err
}

// givenPartitioner leaves a record where it wants to be, and chooses by the key
// for those that say -1.
type givenPartitioner struct{ byKey kgo.Partitioner }

// ForTopic implements [kgo.Partitioner].
func (p givenPartitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return givenTopicPartitioner{p.byKey.ForTopic(topic)}
}

type givenTopicPartitioner struct{ kgo.TopicPartitioner }

// RequiresConsistency implements [kgo.TopicPartitioner].
func (p givenTopicPartitioner) RequiresConsistency(*kgo.Record) bool { return true }

// Partition implements [kgo.TopicPartitioner].
func (p givenTopicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition) % n
	}
	return p.TopicPartitioner.Partition(r, n)
}

// Delivery is what became of a record.
type Delivery struct {
	Partition int32
	Offset    int64
	Err       error // it is not written
}

// Produce hands records over and returns a channel, which is closed when all of
// them are decided; then delivery i is that of record i. It does not wait, and
// what it has taken goes on after ctx has ended, for up to half a minute. A
// record with partition -1 goes where its key leads.
func (d *Desk) Produce(ctx context.Context, records []*kgo.Record) (<-chan struct{}, []Delivery, error) {
	client, err := d.connected(ctx)
	if err != nil {
		return nil, nil, err
	}
	done, deliveries := make(chan struct{}), make([]Delivery, len(records))
	var wg sync.WaitGroup
	wg.Add(len(records))
	for i, r := range records {
		// Try: a full buffer is refused at once, and blocks nobody.
		client.TryProduce(context.WithoutCancel(ctx), r, func(r *kgo.Record, err error) {
			deliveries[i] = Delivery{r.Partition, r.Offset, err}
			wg.Done()
		})
	}
	go func() { wg.Wait(); close(done) }()
	return done, deliveries, nil
}
