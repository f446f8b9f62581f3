package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"streamflow/bridge"
	"streamflow/infra/kafka"
)

// ward is the three servers, prepared, with nobody at work: the test starts the
// parts that it wants.
type ward struct {
	t *testing.T
	c *cli
	s servers
	v *vault
}

func newWard(t *testing.T, args ...string) *ward {
	t.Helper()
	dir, err := os.MkdirTemp("", "streamflow-doctor-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL, which is never root, must be able to go in
		t.Fatal(err)
	}
	w := &ward{t: t, c: parse(t, append([]string{"up", "--data-dir", dir, "--kafka-addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0", "--postgres-addr", "127.0.0.1:0"}, args...)...)}
	if w.v, err = w.c.Up.vault(); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	s, _, stop, err := w.c.Up.servers(ctx, w.v, quiet)
	t.Cleanup(func() { cancel(); _ = stop() })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.c.Up.ensure(ctx, w.v.as(s, partAdmin), quiet); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.v.grant(ctx, s, quiet), w.v.write(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.c.Up.keepKey(w.c.Up.DataDir); err != nil {
		t.Fatal(err)
	}
	w.s = w.v.as(s, partAdmin)
	return w
}

// doctor is the command, told of the servers.
func (w *ward) doctor() *doctorCmd {
	return &doctorCmd{
		kafkaFlags: w.s.kafkaFlags, natsFlags: w.s.natsFlags, postgresFlags: w.s.postgresFlags, streamLayout: w.c.Up.streamLayout,
		Group: w.c.Up.Group, DataDir: w.c.Up.DataDir, Watch: time.Second, MaxSkew: 500 * time.Millisecond,
	}
}

// run starts a part and returns what stops it.
func (w *ward) run(p part, err error) (stop func()) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.run(ctx) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			<-done
			p.close()
		}
	}
	w.t.Cleanup(stop)
	return stop
}

func (w *ward) bridge() func() {
	w.t.Helper()
	return w.run(newBridge(w.s, w.c.Up.bridgeFlags, slog.New(slog.DiscardHandler), nil, bridge.NewMetrics(nil)))
}

func (w *ward) worker(names ...string) func() {
	w.t.Helper()
	entries, err := lookUpAll(names)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.run(newFleet(w.s, entries, 0, newJointMetrics(nil, nil), slog.New(slog.DiscardHandler)))
}

// send produces ticks.
func (w *ward) send(n int) {
	w.t.Helper()
	p, err := kafka.NewProducer(w.t.Context(), w.s.config("test", slog.New(slog.DiscardHandler)), w.s.Topic)
	if err != nil {
		w.t.Fatal(err)
	}
	defer p.Close()
	for i := range n {
		symbol := fmt.Sprintf("S%d", i%7)
		value := fmt.Appendf(nil, `{"symbol":%q,"price":%d,"volume":1,"timestamp":%q}`, symbol, 100+i%9, time.Now().UTC().Format(time.RFC3339Nano))
		if err := p.Send(w.t.Context(), []byte(symbol), value); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := p.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}
