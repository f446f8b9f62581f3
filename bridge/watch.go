package bridge

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamflow"
)

const watchEvery = 5 * time.Second

// watch looks after the partitions that are somebody else's. If records wait in
// one of them and its cursor stands still from one look to the next, it has the
// group balance anew, which leaves out whoever does not take part.
//
// Kafka does that by itself when a member falls silent. The embedded one (kfake)
// forgets a member that dies while it waits to join, and keeps its share of the
// partitions for it for ever:
//
//	bridge A joins, waits for the others   |
//	A is killed, its connection is closed  |
//	                                       | B joins; kfake answers both, cannot
//	                                       | reach A, and starts no clock for it
//	                                       | B, the leader, gives A its share
func (s *session) watch(ctx context.Context) {
	before := make(map[streamflow.Partition]int64)
	for sleep(ctx, watchEvery) {
		if err := s.sameTopics(ctx); err != nil {
			s.fail(err)
			return
		}
		now, err := s.orphans(ctx)
		if err != nil {
			s.Logger.Debug("the others' partitions cannot be looked at", "error", err)
			now = nil // two looks in a row count
		}
		for p, next := range now {
			if was, seen := before[p]; seen && was == next {
				s.Logger.Warn("nobody mirrors a partition: having the group balance anew", "topic", p.Topic, "partition", p.Number, "at", next)
				s.client.ForceRebalance()
				now = nil
				break
			}
		}
		before = now
	}
}

// orphans returns where the cursors stand of partitions that have no worker
// here, and in which records wait.
func (s *session) orphans(ctx context.Context) (map[streamflow.Partition]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	ends, err := kadm.NewClient(s.client).ListCommittedOffsets(ctx, s.topics()...)
	if err != nil {
		return nil, err
	}
	orphans := make(map[streamflow.Partition]int64)
	for topic, partitions := range ends {
		for number, end := range partitions {
			p := streamflow.Partition{Topic: topic, Number: number}
			if end.Err != nil || end.Offset == 0 || s.worker(p) != nil { // a topic may be missing yet
				continue
			}
			cur, err := s.route(topic).Target.Cursor(ctx, p)
			if err != nil {
				return nil, err
			}
			if cur.Next < end.Offset {
				orphans[p] = cur.Next
			}
		}
	}
	return orphans, nil
}

// sameTopics looks whether a topic was made anew under the eyes of its workers:
// the client goes on in the new one as if it were the old one.
func (s *session) sameTopics(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	meta, err := kadm.NewClient(s.client).Metadata(ctx, s.topics()...)
	if err != nil {
		return nil // Kafka is away
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, w := range s.workers {
		if d := meta.Topics[p.Topic]; d.Err == nil && idOf(d) != "" && w.topicID != "" && idOf(d) != w.topicID {
			return fmt.Errorf("topic %s is another one than before", p.Topic)
		}
	}
	return nil
}
