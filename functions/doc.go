// Package functions runs StreamFlow's functions: small workers that read one
// stream each and leave their results and their position in one atomic write.
//
// The [Runner] owns time, order, retries and acknowledgements. What a function
// writes to is a [Sink], which promises that a commit is atomic and fenced.
// Between the two, every message counts exactly once, however often any process
// dies:
//
//  1. the source delivers in stream order, without gaps, from the last ack on;
//  2. what lies at or below the checkpoint has been done and is skipped;
//  3. results and the new checkpoint are committed together;
//  4. only then the source is told.
//
// A crash between 3 and 4 repeats 1 and 2. A second worker that commits in
// between is refused, or refuses us: see [streamflow.ErrFenced].
package functions
