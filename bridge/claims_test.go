package bridge_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/bridge"
)

// slowClaims is a target whose claims take their time, as on a machine that has
// little of it, or before a long stream of dead letters.
type slowClaims struct {
	bridge.Target
	take   time.Duration
	mu     sync.Mutex
	claims map[streamflow.Partition]int
}

func (s *slowClaims) Claim(ctx context.Context, p streamflow.Partition) (streamflow.Cursor, error) {
	s.mu.Lock()
	s.claims[p]++
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return streamflow.Start, ctx.Err()
	case <-time.After(s.take):
	}
	return s.Target.Claim(ctx, p)
}

func (s *slowClaims) counts() (all, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.claims {
		all, most = all+n, max(most, n)
	}
	return all, most
}

// slowly makes the claims of a bridge slow.
func slowly(take time.Duration) (*slowClaims, func(*bridge.Config)) {
	s := &slowClaims{take: take, claims: make(map[streamflow.Partition]int)}
	return s, func(c *bridge.Config) {
		s.Target = c.Routes[0].Target
		c.Routes[0].Target = s
	}
}

// Partitions are claimed side by side: one after the other, these would take
// longer than the members of a group wait for each other.
func TestSlowClaimsDoNotKeepTheGroupBalancing(t *testing.T) {
	const partitions = 24
	r := newRig(t, partitions)
	r.load(480, partitions)
	one, claims := slowly(1500 * time.Millisecond)
	a := r.bridge(claims)
	two, others := slowly(1500 * time.Millisecond)
	b := r.bridge(others)
	began := time.Now()
	r.mirrored()
	t.Logf("mirrored after %v", time.Since(began).Round(time.Millisecond))
	r.exact(0)
	for i, s := range []*slowClaims{one, two} {
		all, most := s.counts()
		t.Logf("bridge %d: %d claims, %d of one partition at most", i, all, most)
		if most > 5 { // it was 18 when a group that balanced anew began all of them anew
			t.Errorf("bridge %d has claimed a partition %d times", i, most)
		}
	}
	if n := a.metric(t, "restarts_total") + b.metric(t, "restarts_total"); n != 0 {
		t.Errorf("began anew %v times", n)
	}
}
