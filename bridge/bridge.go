package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// Target is a stream into which partitions are mirrored.
type Target interface {
	// Claim makes the caller the one who may write a partition: what anybody
	// else has on its way is refused from then on. It returns how far the
	// partition is mirrored; Next is 0 and Last -1 if nothing is.
	Claim(ctx context.Context, p streamflow.Partition) (streamflow.Cursor, error)
	// Commit stores messages (at most 999), in their order, so that cur holds,
	// and returns the next fence. If it fails, the first of them may have been
	// stored; Claim settles it. [streamflow.ErrFenced] says that somebody else
	// has claimed the partition, and that nothing was stored after that.
	Commit(ctx context.Context, p streamflow.Partition, messages []streamflow.Message, cur streamflow.Cursor) (fence uint64, err error)
	// Fence reads the fence of a partition's cursor alone; 0 if it has none.
	Fence(ctx context.Context, p streamflow.Partition) (uint64, error)
	// Head returns the newest sequence of the stream.
	Head(ctx context.Context) (uint64, error)
	// MaxPayload is the largest message that the target takes, in bytes.
	MaxPayload() int
}

// Config of a bridge.
type Config struct {
	Topic   string
	Group   string
	Ticks   Target
	Letters Target
	// Connect opens a Kafka client with further options. It is called again
	// whenever the bridge must begin anew.
	Connect func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error)
	Batch   int // messages in one batch at most; 0 means 999
	Logger  *slog.Logger
	Metrics *Metrics
}

// Bridge mirrors one topic.
type Bridge struct {
	Config
	mu      sync.Mutex
	client  *kgo.Client
	workers map[streamflow.Partition]*worker
	fatal   chan error
}

const (
	maxBatch       = 999
	sessionTimeout = 6 * time.Second // Kafka's least; a killed bridge is replaced after it
	fetchWait      = 500 * time.Millisecond
	bufferRecords  = 4000 // of one partition in one poll
)

// errAnew says that a worker cannot go on from where the client stands in
// Kafka, because the cursor has gone back: all is read again from the cursors.
var errAnew = errors.New("the cursor has gone back")

// New returns a bridge that is not started yet.
func New(c Config) *Bridge {
	if c.Batch <= 0 || c.Batch > maxBatch {
		c.Batch = maxBatch
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	c.Logger = c.Logger.With("topic", c.Topic)
	return &Bridge{Config: c}
}

// Run mirrors until ctx ends. It waits for Kafka and JetStream when they are
// away and goes on by itself when they come back. It returns an error only if
// going on would be wrong: see [LostTopicError].
func (b *Bridge) Run(ctx context.Context) error {
	retry := backoff{}
	for ctx.Err() == nil {
		started := time.Now()
		err := b.session(ctx)
		if ctx.Err() != nil {
			break
		}
		var lost *LostTopicError
		if errors.As(err, &lost) {
			return err
		}
		if time.Since(started) > time.Minute {
			retry = backoff{}
		}
		b.Metrics.restarts.Inc()
		b.Logger.Warn("bridge begins anew", "error", err, "in", retry.next())
		retry.wait(ctx)
	}
	b.Logger.Info("bridge stopped")
	return nil
}

// session lives as long as one Kafka client.
func (b *Bridge) session(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	b.fatal, b.workers = make(chan error, 1), make(map[streamflow.Partition]*worker)
	client, err := b.Connect(ctx,
		kgo.ConsumerGroup(b.Group), kgo.ConsumeTopics(b.Topic),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(sessionTimeout/3), kgo.RebalanceTimeout(2*sessionTimeout),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(16<<20), kgo.FetchMaxPartitionBytes(2<<20),
		// The cursor decides where to read; if Kafka does not have it, start() says so.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.AutoCommitMarks(), kgo.AutoCommitInterval(time.Second),
		kgo.AdjustFetchOffsetsFn(b.assigned(ctx)),
		kgo.OnPartitionsRevoked(b.revoked), kgo.OnPartitionsLost(b.revoked),
	)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.client = client
	b.mu.Unlock()
	go func() {
		select {
		case err := <-b.fatal:
			cancel(err)
		case <-ctx.Done():
		}
	}()
	err = b.poll(ctx, client)
	// Intake first, then the work, then the connection: leaving the group while
	// a batch is under way would let the next bridge start before our last word.
	b.stopAll()
	leave, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	_ = client.CommitMarkedOffsets(leave)
	client.Close()
	return err
}

// poll hands fetched records to the workers of their partitions.
func (b *Bridge) poll(ctx context.Context, client *kgo.Client) error {
	for {
		fetches := client.PollRecords(ctx, 3*bufferRecords)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := time.Now()
		var failed error
		fetches.EachPartition(func(ft kgo.FetchTopicPartition) {
			if ft.Err != nil {
				failed = fmt.Errorf("fetch %s/%d: %w", ft.Topic, ft.Partition, ft.Err)
				return
			}
			p := streamflow.Partition{Topic: ft.Topic, Number: ft.Partition}
			b.Metrics.highWater(p, ft.HighWatermark)
			if w := b.worker(p); w != nil && len(ft.Records) > 0 {
				w.hand(ctx, fetched{ft.Records, now})
			}
		})
		if failed != nil {
			return failed
		}
	}
}

func (b *Bridge) worker(p streamflow.Partition) *worker {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.workers[p]
}

// assigned returns the function that the client calls before it fetches newly
// assigned partitions: it reads their cursors, replaces the group's offsets by
// them, and starts their workers.
func (b *Bridge) assigned(session context.Context) func(context.Context, map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	return func(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
		for topic, partitions := range offsets {
			for number := range partitions {
				p := streamflow.Partition{Topic: topic, Number: number}
				w, err := b.start(ctx, session, p)
				if err != nil {
					b.fail(err)
					return nil, err
				}
				partitions[number] = kgo.NewOffset().At(w.ticks.Next)
			}
		}
		return offsets, nil
	}
}

// start claims p, reads its cursors and starts its worker.
func (b *Bridge) start(ctx, session context.Context, p streamflow.Partition) (*worker, error) {
	ticks, err := b.Ticks.Claim(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("cursor of %s/%d: %w", p.Topic, p.Number, err)
	}
	letters, err := b.Letters.Claim(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("dead-letter cursor of %s/%d: %w", p.Topic, p.Number, err)
	}
	if ticks.Next, err = b.inRange(ctx, p, ticks.Next); err != nil {
		return nil, err
	}
	w := newWorker(b, p, ticks, letters)
	b.mu.Lock()
	old := b.workers[p]
	b.workers[p] = w
	b.mu.Unlock()
	if old != nil {
		old.stop()
	}
	b.Metrics.assigned(p, ticks.Next)
	go w.run(session)
	b.Logger.Info("partition assigned", "partition", p.Number, "from", ticks.Next)
	return w, nil
}

// revoked stops the workers of partitions that now belong to somebody else. It
// waits for them, so that the next owner finds their last batch.
func (b *Bridge) revoked(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	var stopping []*worker
	b.mu.Lock()
	for topic, numbers := range lost {
		for _, number := range numbers {
			p := streamflow.Partition{Topic: topic, Number: number}
			if w := b.workers[p]; w != nil {
				stopping = append(stopping, w)
				delete(b.workers, p)
			}
		}
	}
	b.mu.Unlock()
	for _, w := range stopping {
		w.stop()
		b.Metrics.revoked(w.p)
		b.Logger.Info("partition given up", "partition", w.p.Number)
	}
}

func (b *Bridge) stopAll() {
	b.mu.Lock()
	workers := b.workers
	b.workers = make(map[streamflow.Partition]*worker)
	b.mu.Unlock()
	for _, w := range workers {
		w.stop()
	}
}

// fail ends the session.
func (b *Bridge) fail(err error) {
	select {
	case b.fatal <- err:
	default:
	}
}

func (b *Bridge) mark(p streamflow.Partition, next int64) {
	b.mu.Lock()
	client := b.client
	b.mu.Unlock()
	client.MarkCommitOffsets(map[string]map[int32]kgo.EpochOffset{p.Topic: {p.Number: {Epoch: -1, Offset: next}}})
}
