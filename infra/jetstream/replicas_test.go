package jetstream_test

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"streamflow"
	"streamflow/infra/jetstream"
)

// free returns the addresses of ports that nobody listens on.
func free(t *testing.T, n int) (routes []*url.URL) {
	t.Helper()
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close() // all in the end, so that they differ
		routes = append(routes, &url.URL{Scheme: "nats", Host: ln.Addr().String()})
	}
	return routes
}

// three starts three clustered nodes, with streams of three replicas, and
// returns a client of all of them.
func three(t *testing.T) *jetstream.Client {
	t.Helper()
	routes := free(t, 3)
	var nodes []*server.Server
	var urls []string
	for i, route := range routes {
		port, err := strconv.Atoi(route.Port())
		if err != nil {
			t.Fatal(err)
		}
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("node-%d", i), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		nodes = append(nodes, s)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for _, s := range nodes {
		if !s.ReadyForConnections(time.Minute) {
			t.Fatalf("%s does not listen", s.Name())
		}
		urls = append(urls, s.ClientURL())
	}
	c := connect(t, strings.Join(urls, ","))
	limits := jetstream.DefaultLimits
	limits.Replicas = 3
	for { // it takes a while until there is a leader
		_, err := c.Ensure(t.Context(), limits)
		if err == nil {
			return c
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// claim claims the partition, when there is a leader to do it with.
func claim(t *testing.T, m *jetstream.Mirror) streamflow.Cursor {
	t.Helper()
	cur, err := m.Claim(t.Context(), partition)
	for deadline := time.Now().Add(2 * time.Minute); err != nil && time.Now().Before(deadline); cur, err = m.Claim(t.Context(), partition) {
		time.Sleep(200 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	return cur
}

// Who claims a partition counts what was acknowledged up to then, all of it,
// although the consumer that it counts by may live on a replica that is behind.
func TestClaimCountsAllOnReplicas(t *testing.T) {
	m := three(t).Ticks()
	cur := claim(t, m)
	next := int64(0)
	for round := range 60 {
		n := int64(1 + round%3*3) // few, which the cursor does not count
		if round%10 == 9 {
			n = 500
		}
		before := cur.Fence
		_, err := m.Commit(t.Context(), partition, ticks(next, next+n-1), streamflow.Cursor{Next: next + n, Last: next + n - 1, Fence: cur.Fence})
		cur = claim(t, m)
		if err == nil && cur.Next != next+n || cur.Next < next || cur.Last != cur.Next-1 {
			t.Fatalf("round %d: up to %d was acknowledged, then up to %d (%v), and the claim counts %d", round, next, next+n, err, cur.Next)
		}
		next = cur.Next
		if _, err := m.Commit(t.Context(), partition, ticks(next, next), streamflow.Cursor{Next: next + 1, Last: next, Fence: before}); err == nil {
			t.Fatalf("round %d: a writer from before the claim is let in", round)
		}
	}
	offsets, err := m.Offsets(t.Context(), partition, 0)
	if err != nil || int64(len(offsets)) != next {
		t.Fatalf("the stream has %d offsets (%v), want %d", len(offsets), err, next)
	}
}
