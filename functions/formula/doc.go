// Package formula holds the indicators that traders know, one a file: each with
// its source, its seeding, its warm-up and its unit. docs/indicators.md lists them.
//
// An indicator takes one [Bar] after the other and says what it is worth now. It
// keeps what it needs and no more: a push is a few additions, and whatever is a
// sum over a window is summed anew when its value is asked for. So nothing
// drifts, however many bars go by, and a value depends on nothing that its
// formula does not name. Averages that reach back without end (Wilder's, the
// exponential one) forget their rounding errors as they forget their past.
//
// Indicators are named by a text, "sma(20)", which [Parse] reads, and their
// values by one rule: the name and all parameters, joined by _, is the main
// value; what else it yields has a dot and the part's name behind that. So
// "macd" is "macd(12,26,9)", and it yields macd_12_26_9, macd_12_26_9.signal and
// macd_12_26_9.histogram.
//
// No value is ever NaN or infinite, and there is none before there can be one.
package formula
