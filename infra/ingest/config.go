package ingest

import (
	"cmp"
	"io"
	"log/slog"
	"path/filepath"
	"time"
)

// Config says what is read, and what becomes of it.
type Config struct {
	File string    // a path; "" reads In
	In   io.Reader // instead of File; it has no position
	// Target names the sink in the state: a state serves one.
	Target string
	// State is the file that holds the position; see [StateFile].
	State string
	// Follow goes on behind the end of File, and behind its rotation.
	Follow bool
	// Rotated is a glob of the names that rotation gives to File; File with a dot
	// or a dash and more behind it, unless told.
	Rotated string
	// Again sends File from its beginning, whatever the state says.
	Again bool
	// Settle is how long a rotated file must have been left alone before the next
	// one is read: a writer may be slow to open that.
	Settle time.Duration
	Poll   time.Duration // between looks at a file that has nothing new
	CSV    *CSV          // nil: JSON, an object a line
	// Check turns the text of a record into what is sent. The error is a
	// [*streamflow.RejectError].
	Check func(text []byte, now time.Time) (Record, error)
	Open  func(id string) Sink // id is of the state
	// Doubt is what is done on [ErrDoubt]: "send", "skip", or "" to give up.
	Doubt    string
	Rate     int // records a second, 0 for no limit
	Batch    int // records in a transaction at most
	Rejected func(Rejection) error
	Progress func(Progress) // called after every batch
	Logger   *slog.Logger
}

// Rejection is a record that was refused, and is not sent.
type Rejection struct {
	File string
	Line int64 // of its first line, from 1
	Text []byte
	Err  error
}

// Progress is how far it has come. Read and Size are bytes of the file that is
// read now; Size is 0 where nobody knows.
type Progress struct {
	File           string
	Read, Size     int64
	Sent, Rejected int64 // records, by this process
}

const (
	defaultSettle = 2 * time.Second
	defaultPoll   = 200 * time.Millisecond
	defaultBatch  = 5000
	batchBytes    = 4 << 20
)

func (c *Config) complete() {
	c.Settle, c.Poll = cmp.Or(c.Settle, defaultSettle), cmp.Or(c.Poll, defaultPoll)
	c.Batch = cmp.Or(c.Batch, defaultBatch)
	if c.Rate > 0 { // a few transactions a second, so that the rate is even
		c.Batch = min(c.Batch, max(c.Rate/4, 1))
	}
}

// StateFile returns the place of the state of a file and a target unless one is
// chosen: beside the file, so that it is found from everywhere and goes where
// the file goes.
func StateFile(file, target string) string {
	return filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+"."+target+".ingest")
}
