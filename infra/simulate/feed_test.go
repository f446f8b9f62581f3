package simulate

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
)

var feedTime = time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)

// take takes n records of a source, a millisecond apart.
func take(s Source, n int) (keys, values [][]byte) {
	for i := range n {
		k, v := s.Next(feedTime.Add(time.Duration(i) * time.Millisecond))
		keys, values = append(keys, k), append(values, v)
	}
	return keys, values
}

func TestShopIsAShop(t *testing.T) {
	keys, values := take(NewShop(1), 20_000)
	types, ids, users, prices := make(map[string]int), make(map[string]bool), make(map[string]int), []float64(nil)
	cost := make(map[string]float64)
	for i, v := range values {
		e, err := streamflow.DecodeEvent(v, feedTime.Add(time.Hour))
		if err != nil || string(keys[i]) != e.User || e.Product == "" || e.Currency == "" || !e.Time.Equal(feedTime.Add(time.Duration(i)*time.Millisecond)) {
			t.Fatalf("%s %s: %v", keys[i], v, err)
		}
		if was, seen := cost[e.Product]; seen && was != e.Price {
			t.Fatalf("%s costs %v and %v", e.Product, was, e.Price)
		}
		if ids[e.ID] {
			t.Fatalf("%s comes twice", e.ID)
		}
		cost[e.Product], ids[e.ID] = e.Price, true
		types[e.Type]++
		users[e.User]++
		prices = append(prices, e.Price)
	}
	if !(types["view"] > types["add_to_cart"] && types["add_to_cart"] > types["purchase"] && types["purchase"] > types["remove_from_cart"] && types["remove_from_cart"] > 500) {
		t.Errorf("types %v: want fewer from step to step", types)
	}
	slices.Sort(prices)
	if median := prices[len(prices)/2]; math.Abs(math.Log(median/shopMedian)) > 1 || prices[0] < 0.01 || prices[len(prices)-1] < 4*shopMedian {
		t.Errorf("prices from %v over %v to %v", prices[0], median, prices[len(prices)-1])
	}
	if len(users) < 500 || len(cost) < 300 {
		t.Errorf("%d users and %d products", len(users), len(cost))
	}
}

func TestUsersLogIn(t *testing.T) {
	keys, values := take(NewUsers(1), 20_000)
	emails, count := make(map[string]string), make(map[string]int)
	for i, v := range values {
		e, err := streamflow.DecodeUserEvent(v, feedTime.Add(time.Hour))
		if err != nil || string(keys[i]) != e.User || e.Type != streamflow.TypeLogin || e.IP == "" {
			t.Fatalf("%s %s: %v", keys[i], v, err)
		}
		if !strings.Contains(e.Email, "@example.") {
			t.Fatalf("%s may be somebody's", e.Email)
		}
		if was, seen := emails[e.Email]; seen && was != e.User {
			t.Fatalf("%s is of %s and %s", e.Email, was, e.User)
		}
		emails[e.Email] = e.User
		count[e.User]++
	}
	most := 0
	for _, n := range count {
		most = max(most, n)
	}
	if len(count) < 1_000 || most < 10*20_000/loginUsers {
		t.Errorf("%d users, the busiest with %d logins", len(count), most)
	}
}

func TestFeedsFollowTheirSeed(t *testing.T) {
	for name, source := range map[string]func(uint64) Source{
		"shop": func(seed uint64) Source { return NewShop(seed) }, "users": func(seed uint64) Source { return NewUsers(seed) },
	} {
		_, a := take(source(1), 100)
		_, b := take(source(1), 100)
		_, c := take(source(2), 100)
		if !slices.EqualFunc(a, b, bytes.Equal) || slices.EqualFunc(a, c, bytes.Equal) {
			t.Errorf("%s: the seed does not decide", name)
		}
	}
}

// anySink counts what it is sent.
type anySink struct{ n atomic.Int64 }

func (s *anySink) Send(context.Context, []byte, []byte) error { s.n.Add(1); return nil }
func (s *anySink) Flush(context.Context) error                { return nil }
func (s *anySink) Produced() int64                            { return s.n.Load() }

func TestFeedKeepsItsRate(t *testing.T) {
	for rate, want := range map[int]int64{0: 10 * DefaultFeedRate, 1: 10, 300: 3000} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
			defer cancel()
			sink := &anySink{}
			counts, err := Feed(ctx, sink, NewUsers(1), rate, slog.New(slog.DiscardHandler))
			if err != nil || counts.Live < want-1 || counts.Live > want+3 || counts.Stored != counts.Live {
				t.Errorf("rate %d: %+v, %v, want %d", rate, counts, err, want)
			}
		})
	}
	for _, rate := range []int{-1, MaxRate + 1} {
		if _, err := Feed(t.Context(), &anySink{}, NewUsers(1), rate, nil); err == nil {
			t.Errorf("a rate of %d was taken", rate)
		}
	}
}
