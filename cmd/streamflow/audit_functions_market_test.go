//go:build unix

package main

import (
	"math"
	"math/rand/v2"
	"time"

	"streamflow"
)

// hurry is how much faster than ours the clock of a quick market runs: a minute
// of a test makes candles of many.
const hurry = 20

// quickSymbols are those of a quick market, of which each partition has some. One ticks once and never again: its
// silence is noticed by the clock alone.
var quickSymbols = []string{"AAPL", "MSFT", "GOOG", "BRK.B", "BTC/USD", "^GSPC", "EUR=X", "BF-B", "TSLA"}

const silentSymbol = "SILENT"

// quickMarket makes ticks that come late and out of order. Its clock is hours
// behind ours, so what it says of time never follows from when it was said.
type quickMarket struct {
	r      *rand.Rand
	began  time.Time // by our clock
	origin time.Time // by its own
	prices map[string]float64
	last   map[string]time.Time
	late   int // ticks that were behind another of their symbol
}

func newQuickMarket(seed uint64) *quickMarket {
	now := time.Now()
	m := &quickMarket{
		r: rand.New(rand.NewPCG(seed, 3)), began: now, origin: now.Add(-2 * time.Hour).Truncate(time.Minute),
		prices: make(map[string]float64), last: make(map[string]time.Time),
	}
	for _, s := range quickSymbols {
		m.prices[s] = 100 + m.r.NormFloat64()
	}
	return m
}

// silent is the one tick of [silentSymbol].
func (m *quickMarket) silent() streamflow.Tick {
	return streamflow.Tick{Symbol: silentSymbol, Price: 1, Volume: 1, Time: m.origin}
}

// tick makes a tick as of now: one of twenty is up to a minute late, and many
// by a little.
func (m *quickMarket) tick() streamflow.Tick {
	r, symbol := m.r, quickSymbols[m.r.IntN(len(quickSymbols))]
	at := m.origin.Add(hurry * time.Since(m.began))
	switch r.IntN(20) {
	case 0:
		at = at.Add(-time.Duration(r.Int64N(int64(time.Minute))))
	case 1, 2, 3, 4:
		at = at.Add(-time.Duration(r.Int64N(int64(2 * time.Second))))
	}
	if at.Before(m.last[symbol]) {
		m.late++
	} else {
		m.last[symbol] = at
	}
	price := 100 + (m.prices[symbol]-100)*0.99 + r.NormFloat64()*0.3
	m.prices[symbol] = price
	t := streamflow.Tick{Symbol: symbol, Price: price, Volume: r.Int64N(1000), Time: at.UTC().Truncate(time.Millisecond)}
	if r.IntN(3) > 0 {
		t.Price = math.Round(price*100) / 100
	}
	switch r.IntN(30) {
	case 0:
		t.Volume *= 30
	case 1:
		t.Volume = 0
	}
	return t
}

// quickRules fire often on a quick market. Its candles are never closed by the
// clock of the function (see [quickSettings]), so all but the last follow from
// the ticks alone.
var quickRules = []streamflow.Rule{
	{ID: "crossing", Symbol: "*", When: "price crosses 100", Cooldown: "3s"},
	{ID: "hot", Symbol: "*", When: "rsi(14, 1s) > 70", Cooldown: "30s", Severity: streamflow.SeverityWarning},
	{ID: "move", Symbol: "BTC/USD", When: "change over 1% in 1m", Cooldown: "10s"},
	{ID: "rush", Symbol: "*", When: "volume over 3x average(20, 1s)", Cooldown: "20s"},
	{ID: "golden", Symbol: "BRK.B", When: "sma(5, 1s) crosses above ema(20, 1s)", Hysteresis: 0.01},
	{ID: "both", Symbol: "^GSPC", When: "price > 1.002x vwap(1m) and volume over 500", Cooldown: "5s"},
	{ID: "silence", Symbol: silentSymbol, When: "stale 5s", Severity: streamflow.SeverityCritical},
}

// quickSettings are the parameters of function alerts: a rule is judged when a
// candle is closed, and what closes it must not depend on how long a server was
// away.
const quickSettings = `{"grace":"1h"}`
