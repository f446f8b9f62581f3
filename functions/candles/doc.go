// Package candles makes candles out of ticks: the [Builder] for one symbol,
// which the functions that compute on candles use too, and the function that
// publishes them.
//
// A candle does not depend on the order in which its ticks come. Open and close
// are chosen by event time and offset, and the turnover is added up without
// rounding errors, see exact.go. What does depend on it is when a candle is done
// and how often it is amended afterwards: docs/windows.md has the rules.
package candles
