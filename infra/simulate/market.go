package simulate

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"streamflow"
)

// DefaultVolatility is the volatility of a [Config] that names none.
const DefaultVolatility = 0.3

// MaxVolatility keeps logarithms of prices far from what a float64 can hold.
const MaxVolatility = 3

// Config says which market is simulated.
type Config struct {
	Symbols []string
	// Volatility (PRICE_VOLATILITY) is the standard deviation of a year's
	// change of the logarithm of a price, before mean reversion: 0.3 is an
	// ordinary stock, about 1.6 % a day and 1.5 cents of $ 230 in 1.5 s. The
	// year has 365 days of 24 hours, because this market never closes. 0 means
	// [DefaultVolatility]; above [MaxVolatility] it is cut. Single symbols move
	// more or less than that.
	Volatility float64
	Seed       uint64
	// Start holds last known prices, from which their symbols go on. The others
	// start at a price that fits their name.
	Start map[string]float64
}

// The shape of the process. Times are in seconds.
const (
	secondsPerYear = 365 * 24 * 3600

	// Prices are pulled back to where they belong with this half-life: too
	// weak to be seen in a chart, strong enough that an endless run stays
	// within sight of its start (standard deviation 0.13 at volatility 0.3).
	reversion = math.Ln2 / (90 * 24 * 3600)

	// The logarithm of the volatility swings with this half-life and standard
	// deviation: calm and wild quarters of an hour follow each other, and
	// returns have fat tails.
	calming   = math.Ln2 / (15 * 60)
	volOfVol  = 0.55
	maxVolLog = 2.0 // at most e^2 = 7 times the usual

	// How a symbol of beta 1 divides between the market and itself: 0.3 of the
	// variance is the market's.
	marketShare = 0.5477
	ownShare    = 0.8367

	// maxDistance is how far (in logarithms) the price of a known symbol may
	// lie from the one it was told to start at: the pull must not become a trend.
	maxDistance = 0.5

	// farthest is how far from where it belongs (in logarithms: 55 times as
	// much, or as little) a price ever gets, whatever volatility was asked for.
	farthest = 4.0
)

// Market is a set of prices that move. It is not safe for concurrent use.
//
// The same seed and the same times give the same ticks. Each symbol has its own
// stream of chance, and what the symbols have in common is a function of the
// time since the first step only, so that a further symbol changes nothing
// about the others.
type Market struct {
	stocks []stock
	factor *factor
	origin time.Time // of the factor: the first step
	sigma  float64   // Volatility for one second
	decay  decay
}

// decay is what remains of a deviation after dt seconds. Most steps of a run are
// equally long, and exponentials are what a step costs most.
type decay struct{ dt, vol, fresh, log float64 }

func decayOf(dt float64) decay {
	vol := math.Exp(-calming * dt)
	return decay{dt: dt, vol: vol, fresh: volOfVol * math.Sqrt(1-vol*vol), log: math.Exp(-reversion * dt)}
}

// stock is the state of one symbol.
type stock struct {
	company
	symbol string
	rng    *rand.Rand
	log    float64 // logarithm of the price
	anchor float64 // where log is pulled to
	vol    float64 // logarithm of the present volatility, relative to the usual
	last   time.Time
	factor float64 // the market factor at last
	size   float64 // median of the volume
}

// NewMarket returns a market whose first step has yet to come.
func NewMarket(c Config) *Market {
	if c.Volatility == 0 {
		c.Volatility = DefaultVolatility
	}
	sigma := min(max(c.Volatility, 0), MaxVolatility) / math.Sqrt(secondsPerYear)
	m := &Market{factor: newFactor(c.Seed), sigma: sigma, stocks: make([]stock, len(c.Symbols))}
	for i, symbol := range c.Symbols {
		m.stocks[i] = newStock(symbol, c)
	}
	return m
}

func newStock(symbol string, c Config) stock {
	h := fnv.New64a()
	h.Write([]byte(symbol))
	hash := h.Sum64()
	s := stock{symbol: symbol, company: companyOf(symbol, hash), rng: rand.New(rand.NewPCG(c.Seed, hash))}
	s.anchor = math.Log(s.price)
	s.log = s.anchor
	if p := c.Start[symbol]; p > 0 && !math.IsInf(p, 0) {
		s.log = math.Log(p)
		s.anchor = min(max(s.anchor, s.log-maxDistance), s.log+maxDistance)
	}
	s.vol = volOfVol * s.rng.NormFloat64()
	s.size = medianSize(s.price)
	return s
}

// Symbols returns the number of symbols.
func (m *Market) Symbols() int { return len(m.stocks) }

// Key returns the name of a symbol.
func (m *Market) Key(symbol int) string { return m.stocks[symbol].symbol }

// Step moves the symbol of that index to at and returns its trade there. Steps
// of a millisecond and steps of an hour are the same process: each is drawn
// from the distribution of the time since the symbol's last one. An at that is
// not after the last one leaves the price where it is.
//
// The tick has an exchange and quotes but no id: the position in Kafka already
// names a trade, and an id would make the ticks a quarter longer.
func (m *Market) Step(symbol int, at time.Time) streamflow.Tick {
	s := &m.stocks[symbol]
	if m.origin.IsZero() {
		m.origin = at
	}
	common := m.factor.at(at.Sub(m.origin))
	if s.last.IsZero() {
		s.last, s.factor = at, common
	}
	if dt := at.Sub(s.last).Seconds(); dt > 0 {
		if dt != m.decay.dt {
			m.decay = decayOf(dt)
		}
		s.move(&m.decay, common-s.factor, m.sigma)
	}
	s.last, s.factor = at, common
	return s.trade(at)
}

// move lets the time of d pass, in which the market factor moved by common.
// Both the volatility and the pull are Ornstein-Uhlenbeck processes in their
// exact form, which is what makes the size of the step indifferent.
func (s *stock) move(d *decay, common, sigma float64) {
	s.vol = s.vol*d.vol + d.fresh*s.rng.NormFloat64()
	// E[exp(2·vol)] = exp(2·volOfVol²): without the second term the average
	// variance would be more than was asked for.
	now := sigma * math.Exp(min(s.vol, maxVolLog)-volOfVol*volOfVol)

	s.log = s.anchor + (s.log-s.anchor)*d.log
	s.log += now * (marketShare*s.beta*common + ownShare*s.own*math.Sqrt(d.dt)*s.rng.NormFloat64())
	s.log = min(max(s.log, s.anchor-farthest), s.anchor+farthest)
}

// trade makes a tick at the present price: it lies at the bid or at the ask,
// as a buyer or a seller was in a hurry.
func (s *stock) trade(at time.Time) streamflow.Tick {
	mid := math.Exp(s.log)
	perUnit := 100.0 // cents
	if mid < 1 {
		perUnit = 10_000
	}
	// In units of the price tick; the spread is half a basis point, or one.
	chance := s.rng.Uint64()
	spread := math.Round(max(1, mid*perUnit*0.00005))
	bid := max(1, math.Round(mid*perUnit-spread/2))
	ask := bid + spread
	t := streamflow.Tick{
		Symbol: s.symbol, Price: bid / perUnit, Time: at.UTC(),
		Exchange: s.exchange, Bid: bid / perUnit, Ask: ask / perUnit,
		Volume: size(s.size*activity(at), s.rng.NormFloat64(), chance>>1),
	}
	if chance&1 == 1 {
		t.Price = t.Ask
	}
	return t
}
