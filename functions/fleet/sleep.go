package fleet

import (
	"context"
	"time"
)

// sleepy says that the shard has had nothing to do for so long that its worker
// and its state can be let go of. The first of the order decides it for all.
func (s *slot) sleepy(now time.Time, rank int, first string) bool {
	if rank > 0 {
		return s.u.f.peers.asleep(first, s.u.fn.Name, s.shard)
	}
	if s.u.f.Idle <= 0 {
		return false
	}
	r, said := s.work.Report(), s.said(now)
	if s.owned.IsZero() {
		r = Report{ShardStatus: said.ShardStatus, Due: said.Due}
	}
	if r.Messages != s.counted || r.Due || r.Lag > 0 || said.Lag > 0 {
		s.counted, s.idle = r.Messages, now
	}
	return now.Sub(s.idle) >= s.u.f.Idle
}

// said is what was just reported of the shard, by whoever has it.
func (s *slot) said(now time.Time) ShardReport {
	h := s.u.f.status[ShardKey(s.u.fn.Name, s.shard)]
	if now.Sub(h.at) > deadAfter {
		return ShardReport{}
	}
	return h.ShardReport
}

// look wakes a shard that sleeps if something waits for it, or if the first of
// the order has woken.
func (s *slot) look(ctx context.Context, rank int, first string) {
	if rank > 0 {
		s.asleep = s.u.f.peers.asleep(first, s.u.fn.Name, s.shard)
	}
	if s.looking || rank > 0 {
		return
	}
	s.looking = true
	f, program := s.u.f, s.u.program
	go func() {
		look, cancel := context.WithTimeout(ctx, lookAtMost)
		defer cancel()
		n, err := program.Pending(look, s.shard)
		// As often as it is reported: it is a question to the server.
		select {
		case <-ctx.Done():
		case <-time.After(beatEvery):
		}
		f.note(ctx, func() {
			s.looking = false
			// A durable that is gone tells nothing any more: whoever attaches to it
			// makes it anew.
			if s.asleep && (err != nil || n > 0) {
				s.u.log.Info("shard wakes: messages wait for it", "shard", s.shard, "messages", n, "error", err)
				s.asleep = false
			}
		})
	}()
}

const lookAtMost = 2 * time.Second
