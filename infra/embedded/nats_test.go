package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func startNATS(t *testing.T, dir string) *NATS {
	t.Helper()
	n, err := StartNATS(NATSConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: testLog(t)})
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) })
	return n
}

func connectNATS(t *testing.T, url string, opts ...nats.Option) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url, opts...)
	must(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	must(t, err)
	return js
}

func TestNATSSurvivesKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startChild(t, "nats", dir)
	js := connectNATS(t, c.where)
	_, err := js.CreateStream(contextOf(t), jetstream.StreamConfig{
		Name: "TICKS", Subjects: []string{"ticks.>"}, Storage: jetstream.FileStorage,
	})
	must(t, err)
	for i := range 500 {
		_, err := js.Publish(contextOf(t), "ticks.AAPL", fmt.Appendf(nil, "%d", i))
		must(t, err)
	}
	c.kill()

	n := startNATS(t, dir)
	count := func(js jetstream.JetStream) {
		t.Helper()
		s, err := js.Stream(contextOf(t), "TICKS")
		must(t, err)
		if got := s.CachedInfo().State.Msgs; got != 500 {
			t.Errorf("stream has %d messages, want 500", got)
		}
	}
	count(connectNATS(t, n.URL()))
	must(t, n.Close())

	n = startNATS(t, dir)
	count(connectNATS(t, "", nats.InProcessServer(n.Server())))
}

func TestNATSTakesLargePayloads(t *testing.T) {
	t.Parallel()
	n := startNATS(t, t.TempDir())
	nc, err := nats.Connect(n.URL())
	must(t, err)
	defer nc.Close()
	if got := nc.MaxPayload(); got != natsMaxPayload {
		t.Errorf("max payload is %d, want %d", got, natsMaxPayload)
	}
}

func TestNATSSaysWhyItDoesNotStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "jetstream"), nil, 0o600)) // a file in the way
	_, err := StartNATS(NATSConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: testLog(t)})
	wants(t, err, "NATS", dir, "JetStream")
}
