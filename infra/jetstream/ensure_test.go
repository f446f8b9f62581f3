package jetstream_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"streamflow"
	"streamflow/infra/jetstream"
)

// A function that is new is given a place for its checkpoints in a stream that
// is there already; one that is no longer known keeps its own.
func TestEnsureAddsThePlacesOfFunctions(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	if _, err := c.Ledger(streamflow.StreamResults, "mine", 1, 0).Commit(ctx, nil, []byte("1"), 0); err == nil {
		t.Fatal("a function that is not known has a place to write to")
	}
	limits := jetstream.DefaultLimits
	limits.Functions = map[string][]string{streamflow.StreamResults: {"mine"}}
	changes, err := c.Ensure(ctx, limits)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"stream RESULTS: subject checkpoint.mine.> added",
		"stream RESULTS: subject state.mine.> added",
	}
	if !slices.Equal(changes, want) {
		t.Errorf("changes %q, want %q", changes, want)
	}
	for _, function := range []string{"mine", streamflow.FunctionLogins} {
		if _, err := c.Ledger(streamflow.StreamResults, function, 1, 0).Commit(ctx, nil, []byte("1"), 0); err != nil {
			t.Errorf("function %s: %v", function, err)
		}
	}
	if changes, err := c.Ensure(ctx, limits); err != nil || len(changes) > 0 {
		t.Errorf("second time: %q, %v", changes, err)
	}
}

// A rebuild makes anew what Kafka has, and leaves results and their positions.
func TestResultsOutliveARebuild(t *testing.T) {
	c, _ := start(t)
	ctx := t.Context()
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	fence, err := l.Commit(ctx, facts(0, 3), []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	old := commit(t, c.Ticks(), streamflow.Start, 0, 19)
	if err := c.DeleteStreams(ctx); err != nil {
		t.Fatal(err)
	}
	changes, err := c.Ensure(ctx, jetstream.DefaultLimits)
	if err != nil || len(changes) != 3 {
		t.Fatalf("changes %q, %v, want three streams", changes, err)
	}
	for _, change := range changes {
		if !strings.HasSuffix(change, "created") {
			t.Errorf("change %q", change)
		}
	}
	if data, now, err := l.Load(ctx); string(data) != "one" || now != fence || err != nil {
		t.Errorf("the checkpoint is %q at %d, %v", data, now, err)
	}
	if cur, err := c.Ticks().Cursor(ctx, partition); err != nil || cur != streamflow.Start {
		t.Errorf("the cursor is %+v, %v", cur, err)
	}
	// A bridge that slept through it can never have its fence back.
	anew := commit(t, c.Ticks(), streamflow.Start, 0, 19)
	if anew.Fence <= old.Fence {
		t.Errorf("the fence is %d, and was %d before", anew.Fence, old.Fence)
	}
	if first, _, err := c.Bounds(ctx, streamflow.StreamTicks); err != nil || first <= old.Fence || first >= 1<<53 {
		t.Errorf("the stream begins at %d, %v", first, err)
	}
}

// The streams of the version before are taken over with what is in them.
func TestEnsureTakesOverOldStreams(t *testing.T) {
	c, nc := lone(t, streamflow.StreamEvents, streamflow.SubjectAllEvents, streamflow.SubjectEventCursors)
	ctx := t.Context()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	old := jetstream.Streams(jetstream.DefaultLimits)[0]
	old.MaxAge, old.Metadata, old.AllowMsgTTL = 24*time.Hour, nil, false
	if _, err := js.CreateStream(ctx, old); err != nil {
		t.Fatal(err)
	}
	for _, m := range ticks(0, 9) {
		if _, err := js.Publish(ctx, m.Subject, m.Data); err != nil {
			t.Fatal(err)
		}
	}
	changes, err := c.Ensure(ctx, jetstream.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"stream TICKS: max_age 24h0m0s -> 720h0m0s", "stream TICKS: allow_msg_ttl false -> true"} {
		if !slices.Contains(changes, want) {
			t.Errorf("changes %q lack %q", changes, want)
		}
	}
	if n := count(t, c); n != 10 {
		t.Errorf("%d ticks are left, want 10", n)
	}
	commit(t, c.Ticks(), streamflow.Start, 10, 19)
	forever := jetstream.DefaultLimits
	forever.Age = 20 * 365 * 24 * time.Hour
	for _, limits := range []jetstream.Limits{forever, jetstream.DefaultLimits} {
		if _, err := c.Ensure(ctx, limits); err != nil {
			t.Errorf("kept for %s: %v", limits.Age, err)
		}
	}
	if changes, err := c.Ensure(ctx, jetstream.DefaultLimits); err != nil || len(changes) > 0 {
		t.Errorf("once more: %q, %v", changes, err)
	}
}
