// Package fleet decides which worker runs which function, and how.
//
// What people want of a function is data: [streamflow.Desired] in bucket
// functions. Every worker watches it and makes it so, without a leader: each
// computes the same answer from the same buckets, and where two disagree for a
// moment the fences of the checkpoints keep the results right. The fleet only
// decides who should try.
//
//	bucket functions ──▶ desired state, layout ─┐
//	bucket rules ──────▶ rules of alerts ───────┼─▶ decide ─▶ run, stand by, pause, rebuild,
//	bucket status ─────▶ who is alive ──────────┘            hand back, move to the next layout
//	      ▲                                                          │
//	      └──────────── what this worker does, each second ◀─────────┘
//
// For each shard the live workers are put in an order by rendezvous hashing.
// The first runs the shard, the second stands by at the same durable and takes
// over when the server no longer hears from the first, the others stay away. An
// owner that is not the first (any more) hands the shard back.
package fleet
