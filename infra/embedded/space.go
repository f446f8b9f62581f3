package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultReserve is how much of the disk the servers leave free when nobody says
// otherwise, in bytes.
const DefaultReserve = 64 << 20

// part is a part of a reserve: what is derived is refused later than what it is
// derived from.
func part(reserve, n, of int64) int64 {
	if reserve == 0 {
		reserve = DefaultReserve
	}
	if reserve < 0 {
		return reserve
	}
	return reserve / of * n
}

// spaceEvery is how often the free space is looked at.
const spaceEvery = 100 * time.Millisecond

// Space watches the free space of the file system of a directory.
//
// A server that a write fails in the middle of is not to be relied on: the
// embedded Kafka answers a record that it could not write when it is sent again as
// if it had, JetStream refuses all of a stream until it is restarted, and
// PostgreSQL ends when it cannot go on with its log. So none comes that far: below
// a reserve new records are refused first, by an error that producers wait on, and
// what is derived of those that are there already a little later.
type Space struct {
	dir     string
	reserve int64
	log     *slog.Logger
	low     atomic.Bool
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// WatchSpace looks at the file system of dir until it is closed. changed is told,
// before WatchSpace returns and whenever it changes, whether less than reserve
// bytes are free; 0 is [DefaultReserve], and below 0 there is no reserve. It is
// over when a quarter more is free than that.
func WatchSpace(dir string, reserve int64, log *slog.Logger, changed func(low bool) error) *Space {
	if reserve == 0 {
		reserve = DefaultReserve
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Space{dir: dir, reserve: reserve, log: log, stop: stop}
	look := s.look(changed)
	look()
	s.done.Go(func() { every(ctx, spaceEvery, look) })
	return s
}

// every calls do again and again until ctx ends.
func every(ctx context.Context, apart time.Duration, do func()) {
	tick := time.NewTicker(apart)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

// CheckSpace is what [Space.Err] says of the file system of dir now; detail tells
// how much is free.
func CheckSpace(dir string, reserve int64) (detail string, err error) {
	if reserve == 0 {
		reserve = DefaultReserve
	}
	free, err := freeSpace(dir)
	if err != nil {
		return "the free space of " + dir + " is not known", nil
	}
	return fmt.Sprintf("%s: %d MiB free", dir, free>>20), (&Space{dir: dir, reserve: reserve}).Err(0)
}

// Close ends the watch.
func (s *Space) Close() { s.stop(); s.done.Wait() }

// look returns what looks at the space once, and tells what it sees until it is
// told.
func (s *Space) look(changed func(low bool) error) func() {
	told, before := false, false
	return func() {
		low := s.Err(0) != nil
		if told && low == before {
			return
		}
		switch {
		case low:
			s.log.Error("the disk is full", "dir", s.dir, "what to do", s.Err(0))
		case told:
			s.log.Info("the disk has space again, and all goes on", "dir", s.dir)
		}
		if err := changed(low); err != nil {
			s.log.Warn("the server was not told how full the disk is; it is tried again", "dir", s.dir, "error", err)
			return
		}
		told, before = true, low
	}
}

// Err is nil if so many bytes more can be stored, and else says what to do.
func (s *Space) Err(bytes int64) error {
	free, err := freeSpace(s.dir)
	if err != nil || s.reserve < 0 {
		return nil // what cannot be known does not stop anything
	}
	need := s.reserve
	if s.low.Load() {
		need += s.reserve / 4
	}
	if free-bytes >= need {
		s.low.Store(false)
		return nil
	}
	s.low.Store(true)
	return fmt.Errorf("the disk of %s is full: %d MiB are free, and %d MiB are kept in reserve (DISK_RESERVE). Nothing is lost, and all goes on when there is space: delete what else is on that disk, enlarge it, or start again with a lower KEEP_BYTES and half the DISK_RESERVE",
		s.dir, free>>20, s.reserve>>20)
}
