package api

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow/api/guard"
)

// rig is a server with fakes behind it and a real socket before it.
type rig struct {
	*Server
	feed  *fakeFeed
	store *fakeStore
	url   string
	stop  func()
	maker
}

// newRig starts a server, and checks at the end that nothing of it is left.
func newRig(t *testing.T, tune func(*Config)) *rig {
	t.Helper()
	before := runtime.NumGoroutine()
	g := &rig{feed: newFakeFeed(), store: &fakeStore{}}
	c := Config{Feed: g.feed, Store: g.store, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Version: "test", Guard: guard.Config{OpenWrites: true}}
	if tune != nil {
		tune(&c)
	}
	var err error
	if g.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(g.Handler())
	g.url = web.URL
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = g.Run(ctx) }()
	g.stop = func() { cancel(); <-done }
	t.Cleanup(func() {
		g.stop()
		web.Client().CloseIdleConnections()
		web.Close()
		eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	})
	eventually(t, "the stream is read", func() bool { _, _, ok := g.board.stocks(time.Now()); return ok })
	return g
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%s: not within two minutes\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// metric returns the sum of a metric's values, of those with a label of the
// given value where one is given.
func (g *rig) metric(t *testing.T, name, label string) (sum float64) {
	t.Helper()
	families, err := g.config.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			has := label == ""
			for _, l := range m.GetLabel() {
				has = has || l.GetValue() == label
			}
			if f.GetName() == name && has {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// loopbackAddr is the address of a listener that only this machine reaches.
var loopbackAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}

func okCheck(context.Context) (string, error) { return "it is there", nil }
