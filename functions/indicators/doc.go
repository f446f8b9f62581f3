// Package indicators computes what [formula] has on every symbol: on each tick,
// as a view, and on each closed candle of each interval, as a fact. It makes the
// candles itself, with the builder of functions/candles.
//
// A late tick that amends a candle changes the indicators of that candle and of
// all that were closed after it. For as many candles as can still be amended the
// function therefore keeps what went into the formulas, and the formulas as they
// stood before: it goes over them again from there and publishes what has come
// out differently, marked as amended. So in the end the values are those that
// the ticks would have given in order. docs/indicators.md tells more.
package indicators
