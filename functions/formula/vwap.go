package formula

// The volume-weighted average price since the session began. A session is a day
// in UTC. What comes from an earlier day than the newest bar is left out: on
// ticks, where order is that of arrival, a straggler must not end the session.
// O(1), in sums that do not drift.
var vwapKind = Kind{
	Name: "vwap", Title: "volume-weighted average price",
	Formula: "sum of price × volume / sum of volume, over the session; of a candle, its own VWAP is the price",
	Seed:    "begins anew with each day in UTC",
	Unit:    "price",
	Source:  "S. A. Berkowitz, D. E. Logue, E. A. Noser, The Total Cost of Transactions on the NYSE, J. of Finance 43 (1988)",
	warmup:  "the first with a volume",
	warm:    func([]float64) []int { return []int{1} },
	make:    func([]float64) formula { return &vwap{} },
}

type vwap struct {
	day           int64 // since 1970
	begun         int   // 1 once there was a bar
	money, volume sum
}

const microsADay = 24 * 60 * 60 * 1e6

func (f *vwap) push(b Bar) {
	day := b.At / microsADay
	if b.At%microsADay < 0 {
		day--
	}
	if f.begun == 0 || day > f.day {
		*f = vwap{day: day, begun: 1}
	}
	if day == f.day {
		f.money.product(b.VWAP, float64(b.Volume))
		f.volume.add(float64(b.Volume))
	}
}

func (f *vwap) values() (out [maxParts]float64) {
	out[0] = f.money.value() / f.volume.value()
	return out
}

func (f *vwap) state(c *codec) {
	c.Int(&f.day)
	c.count(&f.begun, 1)
	c.sum(&f.money)
	c.sum(&f.volume)
}
