package indicators

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/candles"
)

var began = time.Date(2026, 3, 2, 23, 50, 0, 0, time.UTC)

// facts keeps what is published.
type facts struct {
	t   testing.TB
	all []streamflow.Indicators
}

func (f *facts) Scratch() []byte { return nil }

func (f *facts) Publish(subject string, data []byte) {
	var x streamflow.Indicators
	if err := json.Unmarshal(data, &x); err != nil || subject != streamflow.IndicatorSubject(x.Symbol) {
		f.t.Fatalf("%s: %s: %v", subject, data, err)
	}
	f.all = append(f.all, x)
}

type trade struct {
	streamflow.Tick
	produced time.Time
	offset   int64
}

// run is one symbol and what it has published.
type run struct {
	*state
	facts
}

func start(t testing.TB, p Params) *run {
	t.Helper()
	plan, err := p.plan()
	if err != nil {
		t.Fatal(err)
	}
	s := newState(plan, "AAPL")
	return &run{state: &s, facts: facts{t: t}}
}

func (r *run) trade(x trade) {
	hops := streamflow.AppendHop(nil, streamflow.HopKafka, x.produced)
	m := streamflow.Message{Position: streamflow.Position{Topic: "stock_ticks", Partition: 1, Offset: x.offset}, Hops: string(hops)}
	r.step(&functions.Input{Key: x.Symbol, Message: &m, Tick: x.Tick}, &r.facts)
}

func (r *run) advance(now time.Time) { r.step(&functions.Input{Key: "AAPL", Now: now}, &r.facts) }

// restore goes on from a checkpoint.
func (r *run) restore() {
	r.t.Helper()
	data, err := r.state.AppendBinary(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	s := newState(r.plan, r.symbol)
	if err := s.UnmarshalBinary(data); err != nil {
		r.t.Fatal(err)
	}
	again, _ := s.AppendBinary(nil)
	if !bytes.Equal(again, data) {
		r.t.Fatal("the state is written in another way after it was read")
	}
	r.state = &s
}

type place struct {
	interval streamflow.Interval
	time     time.Time
}

// final is the newest of each candle, and how often it was published: the first
// must not be an amendment, all others must.
func (f *facts) final() map[place]streamflow.Indicators {
	f.t.Helper()
	m := make(map[place]streamflow.Indicators)
	for _, x := range f.all {
		p := place{x.Interval, x.Time}
		old, again := m[p]
		if x.Amended != again {
			f.t.Fatalf("%s %s: amended %v, and it was published before: %v", x.Interval, x.Time, x.Amended, again)
		}
		if again && x.Price == old.Price && slices.Equal(x.Values, old.Values) {
			f.t.Fatalf("%s %s: amended without a change", x.Interval, x.Time)
		}
		m[p] = x
	}
	return m
}

func same(a, b streamflow.Indicators) bool {
	return a.Time.Equal(b.Time) && a.Price == b.Price && a.Trend == b.Trend && slices.Equal(a.Values, b.Values)
}

// trades walk, about three a second, with gaps, over minutes.
func trades(r *rand.Rand, n int) []trade {
	out, at, cents := make([]trade, n), began, 10000
	for i := range out {
		at = at.Add(time.Duration(r.IntN(700)) * time.Millisecond)
		if r.IntN(100) == 0 {
			at = at.Add(time.Duration(r.IntN(20)) * time.Second)
		}
		cents = max(100, cents+r.IntN(41)-20)
		out[i] = trade{Tick: streamflow.Tick{Symbol: "AAPL", Price: float64(cents) / 100, Volume: r.Int64N(500), Time: at}, produced: at, offset: int64(i)}
	}
	return out
}

// shuffled holds one in twenty back, by nearly as much as the default
// lateness lets in.
func shuffled(r *rand.Rand, in []trade) []trade {
	out := slices.Clone(in)
	for i := range out {
		if r.IntN(20) == 0 {
			out[i].produced = out[i].produced.Add(time.Duration(r.Int64N(int64(85 * time.Second))))
		}
	}
	slices.SortStableFunc(out, func(a, b trade) int { return a.produced.Compare(b.produced) })
	return out
}

var quick = Params{
	Intervals:  []streamflow.Interval{"tick", "1s", "1m", "5m"},
	Indicators: []string{"sma(5)", "ema(5)", "rsi(3)", "macd(3,6,2)", "bollinger(5,2)", "vwap", "atr(3)", "stochastic(5,2,2)", "obv", "adx(3)", "roc(2)", "volatility(4)", "wma(4)", "trend(3,5,3,0.5)"},
}

// finish closes what is open.
func (r *run) finish() { r.advance(began.Add(48 * time.Hour)) }

// What late and disordered ticks end in is what ordered ones give, candle by
// candle, whatever checkpoints there were; and that is what Compute says.
func TestLateEndsAsOrdered(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 0))
		in := trades(r, 1200)
		ordered, late, restored := start(t, quick), start(t, quick), start(t, quick)
		for _, x := range in {
			ordered.trade(x)
		}
		late.disturbed(rand.New(rand.NewPCG(seed, 1)), shuffled(rand.New(rand.NewPCG(seed, 2)), in), nil)
		restored.disturbed(rand.New(rand.NewPCG(seed, 1)), shuffled(rand.New(rand.NewPCG(seed, 2)), in), rand.New(rand.NewPCG(seed, 3)))
		ordered.finish()
		late.finish()
		restored.finish()

		want, got := ordered.final(), late.final()
		if len(want) != len(ordered.all) || len(want) < 250 || len(late.all) < len(want)+100 {
			t.Fatalf("seed %d: %d candles, %d facts in order, %d in disorder", seed, len(want), len(ordered.all), len(late.all))
		}
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d candles, want %d", seed, len(got), len(want))
		}
		for p, w := range want {
			if g := got[p]; !same(g, w) {
				t.Fatalf("seed %d: %s %s ended in\n%+v, want\n%+v", seed, p.interval, p.time, g, w)
			}
		}
		if a, b := fmt.Sprint(restored.all), fmt.Sprint(late.all); a != b {
			t.Fatalf("seed %d: from checkpoints it published something else", seed)
		}
		compute(t, in, want)
	}
}

// disturbed steps ticks with silent moments in between, and with checkpoints.
func (r *run) disturbed(when *rand.Rand, in []trade, checkpoints *rand.Rand) {
	for i, x := range in {
		r.trade(x)
		if i+1 < len(in) && when.IntN(3) == 0 {
			if now := in[i+1].produced; !r.candles.Wake().IsZero() && !now.Before(r.candles.Wake()) {
				r.advance(now)
			}
		}
		if checkpoints != nil && checkpoints.IntN(20) == 0 {
			r.restore()
		}
	}
}

// compute wants of Compute what the function has published, in order.
func compute(t *testing.T, in []trade, want map[place]streamflow.Indicators) {
	t.Helper()
	plan, err := candles.Params{}.Plan()
	if err != nil {
		t.Fatal(err)
	}
	b, closed := candles.NewBuilder(plan, "AAPL"), make(map[streamflow.Interval][]streamflow.Candle)
	done := func(c streamflow.Candle) { closed[c.Interval] = append(closed[c.Interval], c) }
	for _, x := range in {
		b.Add(x.Tick, streamflow.Position{Topic: "stock_ticks", Offset: x.offset}, x.produced, done)
	}
	b.Advance(began.Add(48*time.Hour), done)
	for _, i := range quick.Intervals[1:] {
		results, err := Compute(quick.Indicators, closed[i])
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range results {
			if w := want[place{i, x.Time}]; !same(x, w) {
				t.Fatalf("%s %s is computed as\n%+v, want\n%+v", i, x.Time, x, w)
			}
		}
	}
}

// One late tick, by hand: the candle and those behind it are corrected, a candle
// that only now has a tick is published for the first time.
func TestAmended(t *testing.T) {
	r := start(t, Params{Intervals: []streamflow.Interval{"1s"}, Indicators: []string{"sma(2)"}})
	at := func(second int, price float64) {
		r.offset(second, price)
	}
	for _, s := range []int{0, 1, 2, 4, 5, 6} {
		at(s, float64(10+s))
	}
	r.all = nil
	at(1, 21) // candle 1 closes at 21: SMAs of 1 and 2
	r.expect(t, "1 21 15.5 true", "2 12 16.5 true")
	at(3, 13) // a candle of its own: its SMA, and that of 4
	r.expect(t, "3 13 12.5 false", "4 14 13.5 true")
	at(3, 13) // nothing that SMA sees
	r.expect(t)
	at(7, 17)
	r.expect(t, "6 16 15.5 false")
}

func (r *run) offset(second int, price float64) {
	x := trade{Tick: streamflow.Tick{Symbol: "AAPL", Price: price, Volume: 1, Time: began.Add(time.Duration(second) * time.Second)}, offset: r.last.Offset + 1}
	x.produced = began.Add(time.Hour)
	r.last.Offset++
	r.trade(x)
}

func (r *run) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, x := range r.all {
		got = append(got, fmt.Sprint(int(x.Time.Sub(began).Seconds()), x.Price, x.Values[0].Value, x.Amended))
		if x.Last.Offset != r.last.Offset || x.Last.Topic != "stock_ticks" {
			if x.Amended {
				t.Errorf("%s: it follows from %s, want offset %d", got[len(got)-1], x.Last, r.last.Offset)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("it published %q, want %q", got, want)
	}
	r.all = nil
}

// The live indicators take each tick but the late ones.
func TestLive(t *testing.T) {
	r := start(t, Params{Intervals: []streamflow.Interval{"tick"}, Indicators: []string{"sma(2)", "vwap"}})
	r.offset(0, 10)
	r.offset(5, 20)
	r.restore()
	r.offset(3, 99)
	if values, _ := r.ticks.Values(nil); fmt.Sprint(values, r.price, r.time.Sub(began)) != "[{sma_2 15} {vwap 15}] 20 5s" {
		t.Errorf("live is %v at %v", values, r.price)
	}
	if len(r.all) > 0 {
		t.Errorf("it published %v", r.all)
	}
}

func FuzzState(f *testing.F) {
	r := start(f, quick)
	add := func() {
		data, err := r.state.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	add()
	for i, x := range trades(rand.New(rand.NewPCG(1, 2)), 200) {
		if r.trade(x); i%50 == 0 {
			add()
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newState(r.plan, "AAPL")
		if s.UnmarshalBinary(data) != nil {
			return
		}
		again := &run{state: &s, facts: facts{t: t}}
		again.restore()
		again.trade(trade{Tick: streamflow.Tick{Symbol: "AAPL", Price: 5, Volume: 1, Time: began}, produced: began})
		again.advance(began.Add(time.Hour))
	})
}
