package api

import (
	"math"
	"time"
)

// Stock is one line of the board. A pointer is nil, and null in JSON, where the
// value is not known.
type Stock struct {
	Symbol        string    `json:"symbol" example:"AAPL" doc:"The symbol"`
	Price         float64   `json:"price" example:"187.23" doc:"Price of the newest tick by event time"`
	Volume        int64     `json:"volume" example:"100" doc:"Volume of that tick"`
	Timestamp     time.Time `json:"timestamp" example:"2025-11-21T14:30:00.123Z" doc:"Event time of that tick"`
	Age           float64   `json:"ageSeconds" example:"0.8" doc:"Seconds since then, by the server's clock; less than 0 if the clock of its source is ahead"`
	Trend         string    `json:"trend,omitempty" enum:"up,down,flat" example:"up" doc:"Where the price goes, by its 1m candles; left out while it is not known"`
	Seq           *uint64   `json:"seq" nullable:"true" example:"123456" doc:"Its sequence in the stream; null if it is known from the database only"`
	Reference     *float64  `json:"reference" nullable:"true" example:"185.5" doc:"The last price before the current UTC day"`
	Change        *float64  `json:"change" nullable:"true" example:"1.73" doc:"price - reference"`
	ChangePercent *float64  `json:"changePercent" nullable:"true" example:"0.932615" doc:"The change in percent of the reference"`
	Open          *float64  `json:"open" nullable:"true" example:"185.9" doc:"First price of the day"`
	High          *float64  `json:"high" nullable:"true" example:"188.02" doc:"Highest price of the day"`
	Low           *float64  `json:"low" nullable:"true" example:"184.77" doc:"Lowest price of the day"`
	DayVolume     *int64    `json:"dayVolume" nullable:"true" example:"5280100" doc:"Volume of the day; null while the database has not been read"`
	DayTicks      *int64    `json:"dayTicks" nullable:"true" example:"48211" doc:"Ticks of the day; null while the database has not been read"`
}

// stocks returns every line, by symbol, and when the stream took the newest
// tick among them. ok is false while the stream has not been read.
func (b *board) stocks(now time.Time) (stocks []Stock, asOf time.Time, ok bool) {
	b.mu.Lock()
	rows := make([]row, 0, len(b.sorted))
	for _, r := range b.sorted {
		if r.price != 0 {
			rows = append(rows, *r)
		}
	}
	days, stored, ok := b.days, b.stored, b.seeded
	b.mu.Unlock()
	stocks = make([]Stock, len(rows))
	for i := range rows {
		stocks[i] = rows[i].stock(days, now)
	}
	return stocks, instant(stored), ok
}

// stock returns one line. seeded is false while the stream has not been read.
func (b *board) stock(symbol string, now time.Time) (stock Stock, found, seeded bool) {
	b.mu.Lock()
	r, days, seeded := b.rows[symbol], b.days, b.seeded
	var copied row
	if r != nil {
		copied = *r
	}
	b.mu.Unlock()
	if copied.price == 0 {
		return Stock{}, false, seeded
	}
	return copied.stock(days, now), true, seeded
}

func (r *row) stock(days bool, now time.Time) Stock {
	s := Stock{Symbol: r.symbol, Price: r.price, Volume: r.volume, Timestamp: time.Unix(0, r.at).UTC()}
	s.Age = float64(now.Sub(s.Timestamp).Milliseconds()) / 1000
	if r.seq != 0 {
		s.Seq = &r.seq
	}
	if !days {
		return s
	}
	f := r.day.on(dayOf(now.UnixNano()))
	s.DayVolume, s.DayTicks = &f.volume, &f.ticks
	if f.ticks > 0 {
		s.Open, s.High, s.Low = &f.open, &f.high, &f.low
	}
	if f.reference != 0 {
		change := roundTo(r.price-f.reference, r.price)
		percent := math.Round((r.price/f.reference-1)*100*1e6) / 1e6
		s.Reference, s.Change, s.ChangePercent = &f.reference, &change, &percent
	}
	return s
}

// roundTo rounds x to the twelfth significant digit of a price, which takes
// away the noise of binary fractions: 187.23 - 185.5 is 1.73.
func roundTo(x, price float64) float64 {
	unit := math.Pow(10, 12-math.Ceil(math.Log10(price)))
	if r := math.Round(x*unit) / unit; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r
	}
	return x
}

func instant(unixNano int64) time.Time {
	if unixNano == 0 {
		return time.Time{}
	}
	return time.Unix(0, unixNano).UTC()
}

// age returns the seconds since the newest tick by event time, -1 while there
// is none.
func (b *board) age(now time.Time) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.newest == 0 {
		return -1
	}
	return now.Sub(time.Unix(0, b.newest)).Seconds()
}
