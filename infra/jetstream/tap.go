package jetstream

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"streamflow"
)

// A tap reads the newest messages of a stream once for all durables and followers
// of a process that have come to its end. Most of what a message costs is to be looked up,
// sent, parsed and decoded: with a tap that is done once, not once for each
// function.
//
// It holds the last messages that came. Whoever falls behind them goes on alone,
// and comes back when they have caught up; see [Durable.share].
type tap struct {
	stop context.CancelFunc
	size int // messages that are held at most

	mu      sync.RWMutex
	ring    []streamflow.Message // the one with number n is at n modulo its size
	next    uint64               // number of the one to come
	behind  uint64               // all messages of the stream behind this sequence have come, or are to come
	to      uint64               // what stands behind this sequence has not come
	arrived chan struct{}        // closed when something has
	err     error                // why nothing comes any more
}

// tapSize is what a tap holds: about a second of 30,000 messages a second.
const tapSize = 1 << 15

// tapRetry is how long they do without a tap that could not be opened.
const tapRetry = 10 * time.Second

var (
	errTapPassed = errors.New("the tap has gone past")
	errTapClosed = errors.New("nobody reads the tap any more")
)

// openTap begins behind a sequence of the stream.
func (c *Client) openTap(ctx context.Context, stream string, behind uint64, size int) (*tap, error) {
	f, err := c.openFeeder(ctx, stream, behind)
	if err != nil {
		return nil, err
	}
	t := &tap{size: size, behind: behind, arrived: make(chan struct{})}
	ctx, t.stop = context.WithCancel(context.Background())
	go t.run(ctx, f)
	return t, nil
}

// run takes in what comes, until ctx ends or the delivery does.
func (t *tap) run(ctx context.Context, f *feeder) {
	defer f.stop()
	batch, upTo, err := f.next(ctx)
	for ; err == nil; batch, upTo, err = f.next(ctx) {
		for i := range batch {
			batch[i].Decode()
		}
		t.add(batch, upTo)
	}
	if ctx.Err() != nil {
		err = errTapClosed
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err, t.ring = err, nil
	close(t.arrived)
}

// add takes a batch in, with which all has come up to a sequence.
func (t *tap) add(batch []streamflow.Message, upTo uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.to = upTo
	for i := range batch {
		if len(t.ring) < t.size {
			t.ring = append(t.ring, batch[i])
		} else {
			at := &t.ring[t.next%uint64(t.size)]
			t.behind, *at = at.Sequence, batch[i]
		}
		t.next++
	}
	close(t.arrived)
	t.arrived = make(chan struct{})
}

// first is the number of the oldest message that is held; mu is.
func (t *tap) first() uint64 { return t.next - uint64(len(t.ring)) }

// tapReader is one reader's place.
type tapReader struct {
	t      *tap
	behind uint64 // sequence of the message that was read last
	number uint64 // of the next one
}

// reader returns a reader of what stands behind a sequence, nil if not all of it
// is held or to come.
func (t *tap) reader(behind uint64) *tapReader {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.err != nil || behind < t.behind {
		return nil
	}
	r := &tapReader{t: t, behind: behind, number: t.next}
	for r.number > t.first() && t.ring[(r.number-1)%uint64(t.size)].Sequence > behind {
		r.number--
	}
	return r
}

// read waits for a message and appends what is there, limit at most. The
// messages are shared, and must not be changed.
func (r *tapReader) read(ctx context.Context, into []streamflow.Message, limit int, lost <-chan struct{}) ([]streamflow.Message, error) {
	for {
		into, arrived, err := r.take(into, limit)
		if err != nil || len(into) > 0 {
			return into, err
		}
		select {
		case <-ctx.Done():
			return into, ctx.Err()
		case <-lost:
			return into, errPinLost
		case <-arrived:
		}
	}
}

// take appends what is there.
func (r *tapReader) take(into []streamflow.Message, limit int) (taken []streamflow.Message, arrived <-chan struct{}, err error) {
	t := r.t
	t.mu.RLock()
	defer t.mu.RUnlock()
	switch {
	case t.err != nil:
		return into, nil, t.err
	case r.number < t.first():
		return into, nil, errTapPassed
	}
	into = slices.Grow(into, int(min(t.next-r.number, uint64(limit))))
	for ; r.number < t.next && len(into) < limit; r.number++ {
		// A reader may have been ahead of the tap when it came.
		if m := &t.ring[r.number%uint64(t.size)]; m.Sequence > r.behind {
			into = append(into, *m)
		}
	}
	if len(into) > 0 {
		r.behind = into[len(into)-1].Sequence
	}
	return into, t.arrived, nil
}

// floor returns up to where all is done with, if that is so for what was read up
// to acked: cursors that stand behind it are nobody's work.
func (r *tapReader) floor(acked uint64) uint64 {
	r.t.mu.Lock() // against the reader itself
	defer r.t.mu.Unlock()
	if acked >= r.behind && r.number == r.t.next {
		return max(acked, r.t.to)
	}
	return acked
}

// Taps are those of a process, by stream, for clients of the same servers; the
// zero value is ready. See [Client.Share].
type Taps struct {
	size int // 0 is tapSize
	mu   sync.Mutex
	open map[string]*sharedTap
}

// Share has c and the other clients of taps read a stream together once they have
// come to its end. Call it before anything is read.
func (c *Client) Share(taps *Taps) { c.taps = taps }

// holds is how many messages a tap holds.
func (s *Taps) holds() uint64 { return uint64(cmp.Or(s.size, tapSize)) }

// near says that whoever has so many messages of a stream before them may read on
// by a tap that begins there.
func (s *Taps) near(left uint64) bool { return left <= s.holds()/8 }

// sharedTap is there as long as somebody reads its stream who may use it.
type sharedTap struct {
	readers  int
	tap      *tap      // nil while there is no use for one
	notUntil time.Time // that one could not be opened for
}

// enter tells that somebody reads a stream who may use a tap, and leave that they
// do no more.
func (s *Taps) enter(stream string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = make(map[string]*sharedTap)
	}
	if s.open[stream] == nil {
		s.open[stream] = &sharedTap{}
	}
	s.open[stream].readers++
}

func (s *Taps) leave(stream string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.open[stream]
	if o.readers--; o.readers < 2 && o.tap != nil { // a tap for one is a detour
		o.tap.stop()
		o.tap = nil
	}
	if o.readers == 0 {
		delete(s.open, stream)
	}
}

// tapReader returns a reader of what stands behind a sequence, nil if there is no
// use for one or the tap begins later. A tap is opened where there is none.
func (c *Client) tapReader(ctx context.Context, stream string, behind uint64) *tapReader {
	c.taps.mu.Lock()
	defer c.taps.mu.Unlock()
	o := c.taps.open[stream]
	if o == nil || o.readers < 2 || time.Now().Before(o.notUntil) {
		return nil
	}
	if o.tap == nil || o.tap.broken() {
		t, err := c.openTap(ctx, stream, behind, int(c.taps.holds()))
		if err != nil {
			o.tap, o.notUntil = nil, time.Now().Add(tapRetry)
			c.log.Warn("the parts of this process do not share what they read, each reads for itself", "stream", stream, "error", err, "again in", tapRetry)
			return nil
		}
		o.tap = t
	}
	return o.tap.reader(behind)
}

func (t *tap) broken() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.err != nil
}
