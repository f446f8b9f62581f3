// Package functions runs StreamFlow's functions: small workers that read one
// stream each and leave their results and their position in one atomic write.
//
// A [Sink] stores what comes, in a database or in Kafka; the [Runner] feeds it.
// A [Func] computes: what its author writes is one pure step from a state and a
// message to the next state and results. A [Stepper] runs one shard of it over a
// [Ledger], which holds its results, its checkpoint and its state; a [Batch] runs
// it over messages in memory.
//
// The Runner owns time, order, retries and acknowledgements. What a function
// writes to promises that a commit is atomic and fenced. Between the two, every
// message counts exactly once, however often any process dies:
//
//  1. the source delivers in stream order, without gaps, from the last ack on;
//  2. what lies at or below the checkpoint has been done and is skipped;
//  3. results and the new checkpoint are committed together;
//  4. only then the source is told.
//
// A crash between 3 and 4 repeats 1 and 2. A second worker that commits in
// between is refused, or refuses us: see [streamflow.ErrFenced].
//
// The states of a step function are in memory, and on disk only as old as the
// newest snapshot; docs/functions.md says how they are made again.
package functions
