package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"streamflow"
	"streamflow/api/live"
	"streamflow/docs/examples"
)

func Example() {
	feed := oneTick{}
	server, err := live.New(live.Config{Feed: feed, Streams: []string{streamflow.StreamTicks}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); server.Run(ctx) }()
	web := httptest.NewServer(server)
	err = examples.Follow("ws"+strings.TrimPrefix(web.URL, "http"), []string{"ticks.AAPL"}, func(m examples.Message) error {
		fmt.Println(m.Subject, string(m.Seq), string(m.Data))
		return context.Canceled
	})
	fmt.Println(err)
	fmt.Println(examples.Follow("ws"+strings.TrimPrefix(web.URL, "http"), []string{"ticks"}, nil) != nil)
	cancel()
	<-done
	web.Close()
	// Output:
	// ticks.AAPL 7 {"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T15:04:05Z"}
	// context canceled
	// true
}

// oneTick is a stream of one tick.
type oneTick struct{}

func (oneTick) Snapshot(context.Context, string, string) ([]streamflow.Message, uint64, error) {
	return []streamflow.Message{{
		Subject: "ticks.AAPL", Sequence: 7, Position: streamflow.Position{Topic: streamflow.TopicTicks},
		Data: []byte(`{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T15:04:05Z"}`),
	}}, 7, nil
}

func (oneTick) Follow(ctx context.Context, _ string, _ uint64, _ func([]streamflow.Message) error) error {
	<-ctx.Done()
	return ctx.Err()
}

func (oneTick) Range(context.Context, string, string, uint64, uint64, func([]streamflow.Message) error) error {
	return nil
}

func (oneTick) Bounds(context.Context, string) (first, last uint64, err error) { return 7, 7, nil }

// The document names all that can be subscribed.
func TestDocumentNamesTheSubjects(t *testing.T) {
	doc, err := os.ReadFile("../../docs/websocket.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range live.Roots() {
		if !strings.Contains(string(doc), "`"+root) {
			t.Errorf("docs/websocket.md does not name %s", root)
		}
	}
}
