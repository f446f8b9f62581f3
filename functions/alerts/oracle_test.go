package alerts

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// edge turns the truth of a condition after each tick into when it fires.
func edge(truth []bool) []bool {
	fires := make([]bool, len(truth))
	for i, now := range truth {
		fires[i] = now && (i == 0 || !truth[i-1])
	}
	return fires
}

// Rules against the plainest way to compute them: from all ticks, again for each.
func TestAgainstAllTicks(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	type tick struct {
		at     time.Duration
		price  float64
		volume int64
	}
	var ticks []tick
	at, price := time.Duration(0), 100.0
	for range 3000 {
		at += time.Duration(r.IntN(1200)) * time.Millisecond
		price = max(95, min(105, price+float64(r.IntN(61)-30)/100))
		ticks = append(ticks, tick{at, price, int64(r.IntN(50))})
	}
	// second is one candle; a rule on candles is judged by the tick that ends it.
	type second struct {
		number time.Duration
		close  float64
		volume int64
		ended  int
	}
	var seconds []second
	for i, x := range ticks {
		n := x.at / time.Second
		if len(seconds) == 0 || seconds[len(seconds)-1].number != n {
			if len(seconds) > 0 {
				seconds[len(seconds)-1].ended = i
			}
			seconds = append(seconds, second{number: n})
		}
		s := &seconds[len(seconds)-1]
		s.close, s.volume = x.price, s.volume+x.volume
	}
	seconds = seconds[:len(seconds)-1]
	mean := func(n, end int) (sum float64) {
		for _, s := range seconds[end-n : end] {
			sum += s.close
		}
		return sum / float64(n)
	}
	want := map[string][]int{}
	note := func(rule string, fires []bool, where func(i int) int) {
		for i, f := range fires {
			if f {
				want[rule] = append(want[rule], where(i))
			}
		}
	}
	onTick := func(i int) int { return i }
	onSecond := func(i int) int { return seconds[i].ended }

	truth := make([]bool, len(ticks))
	for i, x := range ticks {
		truth[i] = x.price > 100
	}
	note("ra", edge(truth), onTick)

	for i, x := range ticks {
		step, low := 30*time.Second/60, x.price
		for k := i; k >= 0 && ticks[k].at/step > x.at/step-60; k-- {
			low = min(low, ticks[k].price)
		}
		truth[i] = (x.price-low)*100/low > 2
	}
	note("rb", edge(truth), onTick)

	truth = make([]bool, len(seconds))
	side := 0
	for i := 4; i < len(seconds); i++ {
		d := mean(2, i+1) - mean(5, i+1)
		if d > 1e-9 {
			truth[i] = side < 0
			side = 1
		} else if d < -1e-9 {
			side = -1
		}
	}
	note("rc", truth, onSecond)

	truth = make([]bool, len(seconds))
	for i := 5; i < len(seconds); i++ {
		sum := int64(0)
		for _, s := range seconds[i-5 : i] {
			sum += s.volume
		}
		truth[i] = 5*seconds[i].volume > 2*sum
	}
	note("rd", edge(truth), onSecond)

	rig := newRig(t, rules("price > 100", "change up over 2% in 30s", "sma(2, 1s) crosses above sma(5, 1s)", "volume over 2x average(5, 1s)")...)
	got := map[string][]int{}
	for i, x := range ticks {
		for _, a := range rig.tick(x.at, x.price, x.volume) {
			got[a.Rule] = append(got[a.Rule], i)
		}
	}
	for _, rule := range []string{"ra", "rb", "rc", "rd"} {
		if !slices.Equal(got[rule], want[rule]) || len(want[rule]) < 5 {
			t.Errorf("%s fires at %v\nwant %v", rule, got[rule], want[rule])
		}
	}
}
