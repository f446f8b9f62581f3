// Package ingest sends the lines of a file to a sink, each once: a file that is
// whole, or one that grows, is rotated and is truncated while it is read.
//
// Where it is in the file (a [Position]) and the records up to there go hand in
// hand. The law is that of the other hops, with the one difference that a topic
// has nowhere to keep a position of somebody else's file. So it is kept on the
// disk, in two steps:
//
//  1. the state file says: transaction n goes up to position P, and the topic
//     ended at E before it;
//  2. the transaction is committed; one of its records carries the mark of n.
//
// Whoever starts and finds 1 fences the writer before (the transactional id is
// of the state file), and then looks behind E for the mark: it is there, and P
// is where to go on, or it is not and never will be.
package ingest

import (
	"context"
	"errors"
)

// Record is what is sent.
type Record struct{ Key, Value []byte }

// Doubt is a transaction of which nobody knows whether it was committed.
type Doubt struct {
	Mark string
	From map[int32]int64 // by partition: the mark stands nowhere before
}

// Sink is where records go.
type Sink interface {
	// Open ends every transaction of an earlier writer and says whether that of
	// doubt (nil: there is none) was committed. The error is [ErrDoubt] if that
	// cannot be told any more.
	Open(ctx context.Context, doubt *Doubt) (committed bool, err error)
	// Ends returns by partition where the next record will stand, or one before.
	Ends(ctx context.Context) (map[int32]int64, error)
	// Commit writes records in one transaction, and mark with them. After an
	// error Open must be called.
	Commit(ctx context.Context, records []Record, mark string) error
	// Close leaves nothing behind that is not committed.
	Close()
}

// ErrDoubt says that it cannot be told whether a transaction was committed: the
// topic no longer holds where it would be.
var ErrDoubt = errors.New("the topic has deleted what would show whether the last lines were sent before the process ended: if it holds them (or consumers have seen them), go on with --doubt=skip, else with --doubt=send")

// ErrRefused is wrapped by errors of a [Sink] that trying again does not heal.
var ErrRefused = errors.New("refused for good")

// ErrHeld says that another process works with the state file.
var ErrHeld = errors.New("another process holds the state file")
