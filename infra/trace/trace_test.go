package trace

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"streamflow"
)

// Settings that nothing good can come of are refused, with what to do.
func TestSettings(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	good := Config{Endpoint: "http://127.0.0.1:4318", Sample: 0.5, Service: "test", Logger: log}
	for name, c := range map[string]struct {
		spoil func(*Config)
		env   [2]string
		want  string
	}{
		"a share of percents": {func(c *Config) { c.Sample = 10 }, [2]string{}, "0 to 1"},
		"an address":          {func(c *Config) { c.Endpoint = "127.0.0.1:4318" }, [2]string{}, "http://127.0.0.1:4318"},
		"gRPC":                {func(*Config) {}, [2]string{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}, "4318"},
		"attributes":          {func(*Config) {}, [2]string{"OTEL_RESOURCE_ATTRIBUTES", "nothing"}, "OTEL_RESOURCE_ATTRIBUTES"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.env[0] != "" {
				t.Setenv(c.env[0], c.env[1])
			}
			spoiled := good
			c.spoil(&spoiled)
			if _, err := New(spoiled); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q in it", err, c.want)
			}
		})
	}
	tracer, err := New(good)
	if err != nil {
		t.Fatal(err)
	}
	tracer.Close()
}

// lines is a log that may be written and read at once.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.String(), text)
}

// A collector that refuses, and then takes: each span is counted once, and the
// log has one line for each turn. Our headers reach it.
func TestRefusedThenTaken(t *testing.T) {
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x")
	var refuse atomic.Bool
	refuse.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/under/v1/traces" || r.Header.Get("Authorization") != "Bearer x" {
			t.Errorf("%s with %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		if refuse.Load() {
			http.Error(w, "no", http.StatusBadRequest)
		}
	}))
	defer server.Close()
	log := &lines{}
	tracer, err := New(Config{Endpoint: server.URL + "/under/", Sample: 1, Service: "test", Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	record := func(n int) {
		for range n {
			tracer.Record(streamflow.Span{Trace: streamflow.TraceID{1}, Name: "test", Start: time.Now(), End: time.Now()})
		}
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				full, refused := tracer.Dropped()
				t.Fatalf("%s: sent %d, full %d, refused %d", what, tracer.Sent(), full, refused)
			}
		}
	}
	for n := range 3 {
		record(10)
		await(fmt.Sprintf("refused %d times", n+1), func() bool { _, refused := tracer.Dropped(); return refused == uint64(n+1)*10 })
	}
	refuse.Store(false)
	record(7)
	await("taken", func() bool { return tracer.Sent() == 7 })
	if full, refused := tracer.Dropped(); full != 0 || refused != 30 {
		t.Errorf("full %d, refused %d", full, refused)
	}
	if warned, well := log.count("are not taken"), log.count("are taken again"); warned != 1 || well != 1 {
		t.Errorf("the log warns %d times and is relieved %d times:\n%s", warned, well, log.String())
	}
}
