package guard

import (
	"container/list"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Rate bounds requests of one key, or of one address that has none.
type Rate struct {
	PerSecond float64 // in the long run; 0 is no limit
	Burst     int     // at once; 0 is ten seconds' worth
}

// maxBuckets bounds the memory of the limits, at some 200 bytes each. Beyond it
// the one that was silent longest is forgotten, and begins anew if it comes again.
const maxBuckets = 20_000

// meter is a token bucket for each of many names.
type meter struct {
	Rate
	mu      sync.Mutex
	buckets map[string]*list.Element
	order   list.List // of *bucket, the one used last at the front
}

type bucket struct {
	name   string
	tokens float64
	at     time.Time
}

// allowance is what a bucket has left.
type allowance struct {
	ok        bool
	remaining int
	reset     time.Duration // until it is full
	retry     time.Duration // until the next is possible
}

func newMeter(r Rate) *meter {
	if r.PerSecond <= 0 {
		return nil
	}
	if r.Burst <= 0 {
		r.Burst = max(1, int(math.Ceil(10*r.PerSecond)))
	}
	return &meter{Rate: r, buckets: make(map[string]*list.Element)}
}

// take takes cost tokens from the bucket of a name, or all that are left.
func (m *meter) take(name string, cost float64, now time.Time) allowance {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.bucket(name, now)
	full := float64(m.Burst)
	b.tokens = min(full, b.tokens+max(0, now.Sub(b.at).Seconds())*m.PerSecond)
	b.at = now
	ok := b.tokens >= 1
	if ok {
		b.tokens = max(0, b.tokens-cost)
	}
	seconds := func(tokens float64) time.Duration {
		return time.Duration(max(0, tokens) / m.PerSecond * float64(time.Second))
	}
	return allowance{ok, int(b.tokens), seconds(full - b.tokens), seconds(1 - b.tokens)}
}

// bucket finds or makes a bucket. The caller holds the lock.
func (m *meter) bucket(name string, now time.Time) *bucket {
	if e := m.buckets[name]; e != nil {
		m.order.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if len(m.buckets) >= maxBuckets {
		oldest := m.order.Back()
		delete(m.buckets, m.order.Remove(oldest).(*bucket).name)
	}
	b := &bucket{name: name, tokens: float64(m.Burst), at: now}
	m.buckets[name] = m.order.PushFront(b)
	return b
}

// tell writes the headers of an allowance, as the drafts of the IETF name them.
func (m *meter) tell(h http.Header, a allowance) {
	up := func(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
	h.Set("RateLimit-Policy", strconv.Itoa(m.Burst)+";w="+strconv.Itoa(int(math.Ceil(float64(m.Burst)/m.PerSecond))))
	h.Set("RateLimit-Limit", strconv.Itoa(m.Burst))
	h.Set("RateLimit-Remaining", strconv.Itoa(a.remaining))
	h.Set("RateLimit-Reset", up(a.reset))
	if !a.ok {
		h.Set("Retry-After", up(max(a.retry, time.Second)))
	}
}

// rateName names the bucket of an address. One who has an IPv6 network has as
// many addresses as he likes, so the network counts as one.
func rateName(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.Unmap().String()
}
