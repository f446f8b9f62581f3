package simulate

import (
	"context"
	"sync"
	"time"

	"streamflow"
)

// fakeSink stores what it is sent, at once or, while it is away, when it is
// back.
type fakeSink struct {
	mu    sync.Mutex
	back  chan struct{} // not nil while away; closed when back
	room  int           // how many it takes while away
	fail  error
	ticks []streamflow.Tick
	held  int
}

func (s *fakeSink) Send(ctx context.Context, key, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.back != nil && s.held >= s.room {
		back := s.back
		s.mu.Unlock()
		select {
		case <-back:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if s.back != nil {
		s.held++
	}
	tick, err := streamflow.DecodeTick(value, key, time.Now())
	s.ticks = append(s.ticks, tick)
	return err
}

func (s *fakeSink) Flush(ctx context.Context) error {
	s.mu.Lock()
	back := s.back
	s.mu.Unlock()
	if back == nil {
		return nil
	}
	select {
	case <-back:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *fakeSink) Produced() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.ticks) - s.held)
}

func (s *fakeSink) leave(room int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.back, s.room = make(chan struct{}), room
}

func (s *fakeSink) comeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.back)
	s.back, s.held = nil, 0
}
