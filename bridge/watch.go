package bridge

import (
	"context"
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
		now, err := s.orphans(ctx)
		if err != nil {
			s.Logger.Debug("the others' partitions cannot be looked at", "error", err)
			now = nil // two looks in a row count
		}
		for p, next := range now {
			if was, seen := before[p]; seen && was == next {
				s.Logger.Warn("nobody mirrors a partition: having the group balance anew", "partition", p.Number, "at", next)
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
	ends, err := kadm.NewClient(s.client).ListCommittedOffsets(ctx, s.Topic)
	if err != nil {
		return nil, err
	}
	orphans := make(map[streamflow.Partition]int64)
	for number, end := range ends[s.Topic] {
		p := streamflow.Partition{Topic: s.Topic, Number: number}
		if s.worker(p) != nil {
			continue
		}
		cur, err := s.Ticks.Cursor(ctx, p)
		if err != nil {
			return nil, err
		}
		if end.Err == nil && cur.Next < end.Offset {
			orphans[p] = cur.Next
		}
	}
	return orphans, nil
}
