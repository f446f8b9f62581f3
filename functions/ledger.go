package functions

import (
	"context"

	"streamflow"
)

// Ledger is where one shard of a function keeps what it has done: the facts,
// and beside them, in the same stream, its checkpoint and its state.
//
// All writes stand under one fence, the stream sequence of the checkpoint's
// message. [streamflow.ErrFenced] says that another worker has moved it, and
// that nothing of this write was stored. After any other error the outcome is
// open: Load tells it.
type Ledger interface {
	// Load returns the newest checkpoint and its fence; nil and 0 if there is none.
	Load(ctx context.Context) (checkpoint []byte, fence uint64, err error)
	// Commit stores up to [MaxFacts] facts and the checkpoint in one atomic write
	// and returns the new fence.
	Commit(ctx context.Context, facts []streamflow.Message, checkpoint []byte, fence uint64) (uint64, error)
	// WriteState stores the pieces of a snapshot in a slot, 0 or 1, over what it
	// held before. It is not atomic and need not be: a snapshot counts from the
	// moment at which a checkpoint names it.
	WriteState(ctx context.Context, slot int, pieces [][]byte, fence uint64) error
	// ReadState returns the first n pieces of a slot, nil for one that is missing.
	ReadState(ctx context.Context, slot, n int) ([][]byte, error)
	// Show stores views. Some of them may be lost.
	Show(ctx context.Context, views []streamflow.Message, fence uint64) error
	// Reject stores a dead letter of the function unless its position has one.
	Reject(ctx context.Context, letter streamflow.DeadLetter) error
	// MaxPiece is how many bytes a piece, or a fact, may have.
	MaxPiece() int
}
