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
	before, patience := make(map[streamflow.Partition]standing), 1
	for sleep(ctx, watchEvery) {
		if err := s.sameTopics(ctx); err != nil {
			s.fail(err)
			return
		}
		cursors, err := s.orphans(ctx)
		if err != nil {
			s.Logger.Debug("the others' partitions cannot be looked at", "error", err)
			cursors = nil // looks in a row count
		} else if len(cursors) == 0 {
			patience = 1
		}
		now := make(map[streamflow.Partition]standing, len(cursors))
		for p, cur := range cursors {
			if now[p] = before[p].still(cur); now[p].looks < patience {
				continue
			}
			s.Logger.Warn("nobody mirrors a partition: having the group balance anew", "topic", p.Topic, "partition", p.Number, "at", cur.Next)
			s.client.ForceRebalance()
			// If it does not help, the other one may only be slow.
			now, patience = nil, min(2*patience, patienceAtMost)
			break
		}
		before = now
	}
}

// patienceAtMost is for how many looks a cursor may stand still at most.
const patienceAtMost = 16

// standing is a cursor, and for how many looks it has stood still.
type standing struct {
	streamflow.Cursor
	looks int
}

// still is how cur stands after one more look. A claim moves a cursor too.
func (s standing) still(cur streamflow.Cursor) standing {
	if s.Cursor != cur {
		return standing{Cursor: cur}
	}
	return standing{cur, s.looks + 1}
}

// orphans returns the cursors of partitions that have no worker here, nor are
// about to, and in which records wait.
func (s *session) orphans(ctx context.Context) (map[streamflow.Partition]streamflow.Cursor, error) {
	ctx, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	ends, err := kadm.NewClient(s.client).ListCommittedOffsets(ctx, s.topics()...)
	if err != nil {
		return nil, err
	}
	orphans := make(map[streamflow.Partition]streamflow.Cursor)
	for topic, partitions := range ends {
		for number, end := range partitions {
			p := streamflow.Partition{Topic: topic, Number: number}
			if end.Err != nil || end.Offset == 0 || s.ours(p) { // a topic may be missing yet
				continue
			}
			cur, err := s.route(topic).Target.Cursor(ctx, p)
			if err != nil {
				return nil, err
			}
			if cur.Next < end.Offset {
				orphans[p] = cur
			}
		}
	}
	return orphans, nil
}

// ours says that a partition has a worker here, or is about to.
func (s *session) ours(p streamflow.Partition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.workers[p] != nil || s.claims[p]
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
