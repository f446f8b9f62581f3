package functions_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// model is a stream with one durable, and the store that a function fills. All
// that may go wrong between them goes wrong at random, in proportion to chaos.
type model struct {
	t          *testing.T
	mu         sync.Mutex
	r          *rand.Rand
	chaos      float64
	stream     []streamflow.Message
	floor      int // of the durable: how many are acknowledged
	next       int // which one is delivered next
	owner      *source
	stored     []streamflow.Message
	checkpoint functions.Checkpoint
	fences     map[*sink]int // of sinks whose Load fences others
	epoch      int
	rewinds    int
	ahead      bool // that has happened to the durable
}

// roundTrip is what a question to a server takes.
const roundTrip = 15 * time.Millisecond

var errChaos = errors.New("chaos")

func newModel(t *testing.T, seed uint64) *model {
	return &model{t: t, r: rand.New(rand.NewPCG(seed, 0)), chaos: 0.1, checkpoint: functions.Checkpoint{}, fences: make(map[*sink]int)}
}

// odd is true as often as chaos wills; mu is held.
func (m *model) odd() bool { return m.r.Float64() < m.chaos }

// grow appends n messages to the stream; some offsets are left out, as those of
// refused records are.
func (m *model) grow(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := make(map[int32]int64)
	for _, s := range m.stream {
		last[s.Position.Partition] = s.Position.Offset + 1
	}
	for range n {
		p := int32(m.r.IntN(3))
		previous := last[p] - 1
		offset := last[p]
		if m.r.IntN(5) == 0 {
			offset += int64(m.r.IntN(3))
		}
		last[p] = offset + 1
		m.stream = append(m.stream, streamflow.Message{
			Position: streamflow.Position{Topic: "t", Partition: p, Offset: offset}, Previous: previous, Sequence: uint64(len(m.stream) + 1),
		})
	}
}

// disturb does to the durable what a server that was killed, a worker that is
// slow and an operator may do.
func (m *model) disturb() {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.r.IntN(4) {
	case 0: // another worker is chosen; what this one holds it still has
		m.owner = nil
	case 1: // the floor is forgotten
		m.floor = m.r.IntN(m.floor + 1)
		m.owner = nil
	case 2: // the stream lost its tail and has it again: the durable believes in more than was done
		if m.ahead { // twice at one place looks as if retention had taken it
			return
		}
		m.ahead = true
		m.floor = len(m.stream) - m.r.IntN(len(m.stream)-m.floor+1)
		m.next, m.owner = m.floor, nil
	case 3: // redelivery in the middle
		m.next = m.floor
	}
}

// complete says what is wrong with the store; mu is held.
func (m *model) complete() error {
	last := make(map[int32]int64)
	for _, s := range m.stored {
		p := s.Position
		before, any := last[p.Partition]
		if !any {
			before = -1
		}
		if s.Previous != before {
			return fmt.Errorf("%v was stored after %d, want after %d", p, before, s.Previous)
		}
		last[p.Partition] = p.Offset
	}
	if len(m.stored) != len(m.stream) {
		return fmt.Errorf("%d messages are stored, want %d", len(m.stored), len(m.stream))
	}
	return nil
}

// source is one worker's view of the durable.
type source struct {
	m    *model
	held []streamflow.Message // what was returned since the last acknowledgement
	upTo int                  // of the durable, the end of what was returned
}

func (s *source) Next(ctx context.Context, limit int) ([]streamflow.Message, bool, error) {
	for {
		messages, fresh, err := s.take(limit)
		if err != nil || len(messages) > 0 {
			return messages, fresh, err
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *source) take(limit int) (messages []streamflow.Message, fresh bool, err error) {
	m := s.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.odd() {
		s.giveUp()
		return nil, false, errChaos
	}
	if m.next >= len(m.stream) || m.owner != nil && m.owner != s {
		return nil, false, nil
	}
	if m.owner == nil {
		m.owner, m.next, fresh, s.held = s, m.floor, true, nil
	}
	if m.next >= len(m.stream) {
		return nil, false, nil
	}
	n := min(1+m.r.IntN(limit), len(m.stream)-m.next)
	messages = append(messages, m.stream[m.next:m.next+n]...)
	m.next += n
	s.upTo = m.next
	s.held = append(s.held, messages...)
	return messages, fresh, nil
}

func (s *source) Ack() error {
	m := s.m
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, message := range s.held {
		if p := message.Position; m.checkpoint[p.In()] < p.Offset {
			m.t.Errorf("%v is acknowledged, the checkpoint is %d", p, m.checkpoint[p.In()])
		}
	}
	s.held = nil
	if m.odd() {
		return errChaos // lost on its way
	}
	if m.owner == s {
		m.floor = max(m.floor, s.upTo)
	}
	return nil
}

func (s *source) Rewind(context.Context) error {
	m := s.m
	m.mu.Lock()
	defer m.mu.Unlock()
	s.giveUp()
	if m.odd() {
		return errChaos
	}
	m.floor, m.owner = 0, nil
	m.rewinds++
	return nil
}

func (s *source) Heads(context.Context) (map[streamflow.Partition]int64, error) {
	m := s.m
	time.Sleep(roundTrip)
	m.mu.Lock()
	defer m.mu.Unlock()
	heads := make(map[streamflow.Partition]int64)
	for _, message := range m.stream {
		heads[message.Position.In()] = message.Position.Offset
	}
	return heads, nil
}

func (s *source) Pending(context.Context) (uint64, int, error) {
	m := s.m
	time.Sleep(roundTrip)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.odd() {
		return 0, 0, errChaos
	}
	return uint64(len(m.stream) - max(m.next, m.floor)), max(m.next-m.floor, 0), nil
}

func (s *source) Close() {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.giveUp()
}

func (s *source) giveUp() {
	s.held = nil
	if s.m.owner == s {
		s.m.owner = nil
		s.m.next = s.m.floor
	}
}

// sink is one worker's way to the store. With epochs it fences as Kafka's
// transactions do: who loads last may write.
type sink struct {
	m      *model
	epochs bool
}

func (s *sink) Load(context.Context) (functions.Checkpoint, error) {
	m := s.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.epochs {
		m.epoch++
		m.fences[s] = m.epoch
	}
	if m.odd() {
		return nil, errChaos
	}
	return maps.Clone(m.checkpoint), nil
}

func (s *sink) Peek(context.Context) (functions.Checkpoint, error) {
	time.Sleep(roundTrip)
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return maps.Clone(s.m.checkpoint), nil
}

func (s *sink) Commit(_ context.Context, messages []streamflow.Message, from, to functions.Checkpoint) error {
	m := s.m
	time.Sleep(2*roundTrip + time.Duration(len(messages))*time.Millisecond) // others may act meanwhile
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.odd() {
		return errChaos // before it was sent
	}
	if s.epochs && m.fences[s] != m.epoch {
		return streamflow.ErrFenced
	}
	for p, offset := range from {
		if !s.epochs && m.checkpoint[p] != offset {
			return streamflow.ErrFenced
		}
	}
	for p := range m.checkpoint {
		if _, known := from[p]; !s.epochs && !known {
			return streamflow.ErrFenced // it was the first, and is no longer
		}
	}
	m.stored = append(m.stored, messages...)
	m.checkpoint = maps.Clone(to)
	if m.odd() {
		return errChaos // the answer was lost
	}
	return nil
}
