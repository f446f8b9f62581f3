// Package alerts is the function that raises alerts: it judges the rules of
// bucket rules on the ticks and candles of each symbol.
//
// A rule is one line of a small language, see docs/alerts.md: [Parse] reads it
// where a rule is written, and [New] makes the function from all rules. When
// rules change the platform stops the shard, which saves its state, and makes
// the function anew: the state of a rule is kept under its ID and a hash of its
// condition, so that a rule that did not change goes on where it was, and one
// that did begins anew. What the rules of a symbol need (candles, indicators,
// averages, windows) is made once for all of them, and for nothing else.
//
//	rule ──Parse──▶ condition ──▶ plan of a symbol ──▶ state ──judge──▶ Alert
//
// Rules are edge-triggered: a rule fires when its condition becomes true.
package alerts
