package jetstream_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// restartable runs a server that the test stops and starts again.
func restartable(t *testing.T) (start func() *jetstream.Client, stop func()) {
	t.Helper()
	config := embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
	var server *embedded.NATS
	stop = func() {
		if server != nil {
			_ = server.Close()
		}
	}
	t.Cleanup(stop)
	return func() *jetstream.Client {
		t.Helper()
		var err error
		if server, err = embedded.StartNATS(config); err != nil {
			t.Fatal(err)
		}
		return connect(t, server.URL())
	}, stop
}

// A server that was off for longer than the streams keep their messages must
// not have forgotten how far all was.
func TestPositionsOutliveAServerThatWasOff(t *testing.T) {
	start, stop := restartable(t)
	c, ctx := start(), t.Context()
	limits := jetstream.DefaultLimits
	limits.Age = time.Second
	if _, err := c.Ensure(ctx, limits); err != nil {
		t.Fatal(err)
	}
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	fence, err := l.Commit(ctx, facts(0, 3), []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.WriteState(ctx, 0, [][]byte{[]byte("a"), []byte("b")}, fence); err != nil {
		t.Fatal(err)
	}
	cur, err := c.Ticks().Claim(ctx, partition)
	if err != nil {
		t.Fatal(err)
	}
	cur = commit(t, c.Ticks(), cur, 0, 99)
	commit(t, c.Ticks(), cur, 100, 104) // behind the cursor
	written := time.Now()
	c.Close()
	stop()
	time.Sleep(time.Until(written.Add(limits.Age + 100*time.Millisecond)))

	c = start()
	if err := c.Trim(ctx); err != nil {
		t.Fatal(err)
	}
	if left := len(read(t, c, streamflow.StreamCandles, streamflow.SubjectAllCandles)); left != 0 || count(t, c) != 0 {
		t.Errorf("%d facts and %d ticks are left", left, count(t, c))
	}
	l = c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	if data, _, err := l.Load(ctx); string(data) != "one" || err != nil {
		t.Errorf("the checkpoint is %q, %v", data, err)
	}
	if got, err := l.ReadState(ctx, 0, 2); err != nil || string(got[0]) != "a" || string(got[1]) != "b" {
		t.Errorf("the state is %q, %v", got, err)
	}
	if got, err := c.Ticks().Claim(ctx, partition); err != nil || got.Next != 105 || got.Last != 104 {
		t.Errorf("the cursor is %+v, %v", got, err)
	}
}

// A function that is idle while another one fills the stream.
func TestPositionsOutliveALimitOnBytes(t *testing.T) {
	start, _ := restartable(t)
	c, ctx := start(), t.Context()
	limits := jetstream.DefaultLimits
	limits.Bytes = 3 << 20 // a third of it for results
	if _, err := c.Ensure(ctx, limits); err != nil {
		t.Fatal(err)
	}
	idle := c.Ledger(streamflow.StreamResults, streamflow.FunctionLogins, 1, 0)
	fence, err := idle.Commit(ctx, nil, []byte("idle"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := idle.WriteState(ctx, 1, [][]byte{[]byte("state")}, fence); err != nil {
		t.Fatal(err)
	}
	busy, at := c.Ledger(streamflow.StreamResults, streamflow.FunctionBuckets, 1, 0), uint64(0)
	result := streamflow.Message{Subject: streamflow.ResultSubject(streamflow.FunctionBuckets, "k"), Data: make([]byte, 100<<10)}
	for n := range int64(30) {
		result.Position = streamflow.Position{Topic: "buckets.e", Offset: n}
		if at, err = busy.Commit(ctx, []streamflow.Message{result}, []byte("busy"), at); err != nil {
			t.Fatal(err)
		}
		if err := c.Trim(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if data, now, err := idle.Load(ctx); string(data) != "idle" || now == fence || err != nil {
		t.Errorf("the checkpoint is %q at %d (was %d), %v", data, now, fence, err)
	}
	if got, err := idle.ReadState(ctx, 1, 1); err != nil || string(got[0]) != "state" {
		t.Errorf("the state is %q, %v", got, err)
	}
	if n := len(read(t, c, streamflow.StreamResults, streamflow.SubjectAllResults)); n == 30 || n < 5 {
		t.Errorf("%d of 30 results are left", n)
	}
}

// What is young stays as it is, and several may trim at once.
func TestTrimLeavesAloneWhatIsYoung(t *testing.T) {
	c, url := start(t)
	ctx := t.Context()
	l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
	fence, err := l.Commit(ctx, facts(0, 3), []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	cur := commit(t, c.Ticks(), streamflow.Start, 0, 19)
	var all sync.WaitGroup
	for range 4 {
		other := connect(t, url)
		all.Go(func() {
			if err := other.Trim(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, now, err := l.Load(ctx); now != fence || err != nil {
		t.Errorf("the checkpoint is at %d, %v, was at %d", now, err, fence)
	}
	if now, err := c.Ticks().Cursor(ctx, partition); now != cur || err != nil {
		t.Errorf("the cursor is %+v, %v, was %+v", now, err, cur)
	}
	if left := len(read(t, c, streamflow.StreamCandles, streamflow.SubjectAllCandles)); left != 3 || count(t, c) != 20 {
		t.Errorf("%d facts and %d ticks are left", left, count(t, c))
	}
}

// Several that trim the same at once leave each position as it was.
func TestManyTrimAtOnce(t *testing.T) {
	c, url := start(t)
	ctx := t.Context()
	limits := jetstream.DefaultLimits
	limits.Age = 50 * time.Millisecond
	if _, err := c.Ensure(ctx, limits); err != nil {
		t.Fatal(err)
	}
	for shard := range 5 {
		l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, shard)
		if _, err := l.Commit(ctx, facts(0, 3), []byte{byte('0' + shard)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, c.Ticks(), streamflow.Start, 0, 19)
	time.Sleep(limits.Age)
	var all sync.WaitGroup
	for range 4 {
		other := connect(t, url)
		all.Go(func() {
			_ = other.Trim(ctx) // one may find gone what it was about to read, and would try again
		})
	}
	all.Wait()
	if err := c.Trim(ctx); err != nil {
		t.Error(err)
	}
	for shard := range 5 {
		data, _, err := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, shard).Load(ctx)
		if err != nil || string(data) != string(byte('0'+shard)) {
			t.Errorf("shard %d is %q, %v", shard, data, err)
		}
	}
	if now, err := c.Ticks().Cursor(ctx, partition); now.Next != 20 || err != nil {
		t.Errorf("the cursor is %+v, %v", now, err)
	}
}
