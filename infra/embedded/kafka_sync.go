package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// flusher keeps every answer of the broker back until what stands behind it is
// on the disk: what is acknowledged stays, and what is read was there to stay.
//
// kfake's own way, [kfake.SyncWrites], is an fsync of each file after each
// batch, one after the other, in the loop that serves everybody: a transaction
// of results on three partitions holds the ticks up for more than a dozen of
// them. Here all files that have grown are flushed at once, beside that loop,
// and one round does for all the answers that wait.
type flusher struct {
	log    kafkaLog // of the goroutine in run alone
	flush  func(path string) error
	logger *slog.Logger

	mu           sync.Mutex
	change       sync.Cond
	begun, ended uint64 // rounds
	wanted       uint64 // the round that somebody waits for
	err          error  // why there will be no further round
}

// flushers is how many files are flushed at a time. File systems do them
// together: they cost little more than one.
const flushers = 16

var errFlusherClosed = errors.New("the broker is closed")

// newFlusher returns a flusher of kfake's data directory, which waits for run.
func newFlusher(dir string, logger *slog.Logger) *flusher {
	f := &flusher{log: newKafkaLog(dir), flush: flush, logger: logger}
	f.change.L = &f.mu
	return f
}

// wait returns when all that was written before the call is on the disk.
func (f *flusher) wait() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	mine := f.begun + 1
	if f.wanted < mine {
		f.wanted = mine
		f.change.Broadcast()
	}
	for f.ended < mine && f.err == nil {
		f.change.Wait()
	}
	return f.err
}

// close lets those go who wait, with an error.
func (f *flusher) close() {
	if f != nil {
		f.fail(errFlusherClosed)
	}
}

func (f *flusher) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	f.change.Broadcast()
}

func (f *flusher) run() {
	defer f.log.close()
	for f.begin() {
		if err := f.round(); err != nil {
			// Whether the disk has it cannot be known by asking again: the system forgets what it could not write.
			f.logger.Error("a flush of Kafka's log failed: it answers nothing any more, since the last records may be lost; look at the disk and start again",
				"error", err)
			f.fail(fmt.Errorf("flush of Kafka's log: %w", err))
			return
		}
		f.mu.Lock()
		f.ended = f.begun
		f.change.Broadcast()
		f.mu.Unlock()
	}
}

// begin waits until a round is wanted, and begins it.
func (f *flusher) begin() bool {
	f.mu.Lock()
	for f.wanted <= f.begun && f.err == nil {
		f.change.Wait()
	}
	f.mu.Unlock()
	runtime.Gosched() // who is told of a record and who has sent it are answered within one; to sleep would be a millisecond
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun++
	return f.err == nil
}

// round brings all that has grown to the disk, together.
func (f *flusher) round() error {
	paths, err := f.log.grown()
	if err != nil || len(paths) == 0 {
		return err
	}
	var all errgroup.Group
	all.SetLimit(flushers)
	for _, path := range paths {
		all.Go(func() error { return f.flush(path) })
	}
	return all.Wait()
}

// holdAnswers keeps the answers to all who come in back, unless cfg leaves it to the
// system when records are on the disk; then the flusher is nil.
func holdAnswers(ln net.Listener, cfg KafkaConfig, log *slog.Logger) (net.Listener, *flusher) {
	if cfg.NoSync {
		return ln, nil
	}
	f := newFlusher(cfg.Dir, log)
	go f.run()
	return heldListener{ln, f}, f
}

// heldListener keeps the answers to all who come in back, see [flusher].
type heldListener struct {
	net.Listener
	until *flusher
}

func (l heldListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return heldConn{conn, l.until}, nil
}

type heldConn struct {
	net.Conn
	until *flusher
}

func (c heldConn) Write(answer []byte) (int, error) {
	if err := c.until.wait(); err != nil {
		return 0, err
	}
	return c.Conn.Write(answer)
}
