package bridge

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// session lives as long as one Kafka client. What that client still calls when
// it has been given up touches its own session and no later one.
type session struct {
	*Bridge
	ready   chan struct{} // closed when client is set
	client  *kgo.Client
	fatal   chan error
	mu      sync.Mutex
	workers map[streamflow.Partition]*worker
	claims  map[streamflow.Partition]bool // that are under way
}

func newSession(b *Bridge) *session {
	return &session{
		Bridge: b, ready: make(chan struct{}), fatal: make(chan error, 1),
		workers: make(map[streamflow.Partition]*worker), claims: make(map[streamflow.Partition]bool),
	}
}

func (s *session) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client, err := s.Connect(ctx,
		kgo.ConsumerGroup(s.Group), kgo.ConsumeTopics(s.topics()...),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(sessionTimeout/3), kgo.RebalanceTimeout(2*sessionTimeout),
		kgo.BlockRebalanceOnPoll(), // see poll
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// The marks of transactions move the cursor: without them it would never
		// reach the end of a partition whose last offset is one.
		kgo.KeepControlRecords(),
		kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(16<<20), kgo.FetchMaxPartitionBytes(fetchBytes),
		// The cursor decides where to read; if Kafka does not have it, start() says so.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.AutoCommitMarks(), kgo.AutoCommitInterval(time.Second),
		kgo.AdjustFetchOffsetsFn(s.assigned(ctx)),
		kgo.OnPartitionsRevoked(s.revoked), kgo.OnPartitionsLost(s.revoked),
	)
	if err != nil {
		return err
	}
	s.client = client
	close(s.ready)
	go func() {
		select {
		case err := <-s.fatal:
			cancel(err)
		case <-ctx.Done():
		}
	}()
	watching := make(chan struct{})
	go func() { defer close(watching); s.watch(ctx) }()
	err = s.poll(ctx)
	// Intake first, then the work, then the connection: leaving the group while
	// a batch is under way would let the next bridge start before our last word.
	cancel(err)
	s.stopAll()
	<-watching
	leave, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	_ = client.CommitMarkedOffsets(leave)
	client.CloseAllowingRebalance()
	return err
}

// poll hands fetched records to the workers of their partitions.
//
// The workers are looked up while the client may not take partitions away, that
// is before AllowRebalance. Were it otherwise, records could be lost:
//
//	poll returns p's records 200-299 | worker of p holds 100-199, not committed
//	waits in hand for another worker | p is revoked, its worker stops at 100
//	                                 | p is assigned again, a new worker reads cursor 100
//	hands 200-299 to the new worker  | it commits 200-299, the cursor is 300
//	                                 | 100-199 come again, below the cursor: skipped
//
// The old worker, which has stopped, takes no more. It waits for workers that
// are behind only after AllowRebalance: to hold up the group would cost the
// membership in it.
func (s *session) poll(ctx context.Context) error {
	type handout struct {
		w *worker
		f fetched
	}
	var handouts []handout
	for {
		fetches := s.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := time.Now()
		var failed error
		handouts = handouts[:0]
		fetches.EachPartition(func(ft kgo.FetchTopicPartition) {
			if ft.Err != nil {
				failed = fmt.Errorf("fetch %s/%d: %w", ft.Topic, ft.Partition, ft.Err)
				return
			}
			p := streamflow.Partition{Topic: ft.Topic, Number: ft.Partition}
			s.Metrics.highWater(p, ft.HighWatermark)
			if len(ft.Records) == 0 {
				return
			}
			if w := s.worker(p); w != nil {
				handouts = append(handouts, handout{w, fetched{ft.Records, now}})
				return
			}
			// To drop them would be to skip them: the next fetch begins behind.
			failed = fmt.Errorf("%s/%d: records of a partition that has no worker", p.Topic, p.Number)
		})
		s.client.AllowRebalance()
		if failed != nil {
			return failed
		}
		for _, h := range handouts {
			h.w.hand(ctx, h.f)
		}
	}
}

func (s *session) worker(p streamflow.Partition) *worker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.workers[p]
}

// revoked stops the workers of partitions that now belong to somebody else. It
// waits for them, so that the next owner finds their last batch.
func (s *session) revoked(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	var stopping []*worker
	s.mu.Lock()
	for topic, numbers := range lost {
		for _, number := range numbers {
			p := streamflow.Partition{Topic: topic, Number: number}
			if w := s.workers[p]; w != nil {
				stopping = append(stopping, w)
				delete(s.workers, p)
			}
		}
	}
	s.mu.Unlock()
	for _, w := range stopping {
		w.stop()
		s.Metrics.revoked(w.p)
		w.log.Info("partition given up")
	}
}

func (s *session) stopAll() {
	s.mu.Lock()
	workers := s.workers
	s.workers = make(map[streamflow.Partition]*worker)
	s.mu.Unlock()
	for _, w := range workers {
		w.stop()
	}
}

// fail ends the session.
func (s *session) fail(err error) {
	select {
	case s.fatal <- err:
	default:
	}
}

func (s *session) mark(p streamflow.Partition, next int64) {
	s.client.MarkCommitOffsets(map[string]map[int32]kgo.EpochOffset{p.Topic: {p.Number: {Epoch: -1, Offset: next}}})
}
