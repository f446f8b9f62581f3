package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/backup"
	"streamflow/infra/kafka"
)

// flowing sends ticks of five symbols, a second of event time between rounds,
// until it is stopped: each tenth is refused.
type flowing struct {
	rounds  atomic.Int64
	stopped chan struct{}
	stop    context.CancelFunc
}

func flow(t *testing.T, s servers, from int64) *flowing {
	t.Helper()
	p, err := kafka.NewProducer(t.Context(), s.config("test", slog.New(slog.DiscardHandler)), s.Topic)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	f := &flowing{stopped: make(chan struct{}), stop: stop}
	f.rounds.Store(from)
	began := time.Now().Add(-6 * time.Hour).Truncate(time.Hour)
	go func() {
		defer close(f.stopped)
		defer p.Close()
		pace := time.NewTicker(15 * time.Millisecond)
		defer pace.Stop()
		for {
			select {
			case <-ctx.Done():
				// The last one is good: a dead letter at the end leaves the cursor before it.
				last := began.Add(time.Duration(f.rounds.Load()+1) * time.Second).UTC().Format(time.RFC3339)
				value := fmt.Appendf(nil, `{"symbol":"TSLA","price":1,"volume":1,"timestamp":%q}`, last)
				if err := p.Send(context.WithoutCancel(ctx), []byte("TSLA"), value); err != nil {
					t.Error(err)
				}
				if err := p.Flush(context.WithoutCancel(ctx)); err != nil {
					t.Error(err)
				}
				return
			case <-pace.C:
			}
			n := f.rounds.Add(1)
			for i, symbol := range []string{"AAPL", "MSFT", "BRK.B", "BTC/USD", "TSLA"} {
				price, at := 100+float64(n%40)-float64(i), began.Add(time.Duration(n)*time.Second)
				if i == 4 && n%2 == 0 {
					price = -1
				}
				value := fmt.Appendf(nil, `{"symbol":%q,"price":%v,"volume":%d,"timestamp":%q}`, symbol, price, n%7, at.UTC().Format(time.RFC3339))
				if err := p.Send(context.WithoutCancel(ctx), []byte(symbol), value); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	t.Cleanup(f.end)
	return f
}

// end stops it; what was sent is stored.
func (f *flowing) end() { f.stop(); <-f.stopped }

// more waits for a number of rounds more.
func (f *flowing) more(t *testing.T, rounds int64) {
	t.Helper()
	for to := f.rounds.Load() + rounds; f.rounds.Load() < to; time.Sleep(10 * time.Millisecond) {
		select {
		case <-f.stopped:
			t.Fatal("the ticks stopped to flow")
		default:
		}
	}
}

// command runs a command line, and returns its error.
func command(t *testing.T, args ...string) error {
	t.Helper()
	_, line := parsed(t, args...)
	line.BindTo(t.Context(), (*context.Context)(nil))
	line.Bind(slog.New(slog.NewTextHandler(t.Output(), nil)))
	return line.Run()
}

// at names servers to a command.
func at(s servers) []string {
	return []string{"--kafka", s.Brokers, "--nats", s.NATS, "--database", s.Database}
}

// TestBackupAndRestore: a backup that is taken while ticks flow and functions
// work, restored into an empty data directory, is a system that is equal and goes
// on: every candle, alert and record of a result is there once and is right.
func TestBackupAndRestore(t *testing.T) {
	r := newOpsRig(t)
	if status, text := r.call("PUT", "/api/rules/high", `{"symbol":"*","when":"price crosses above 120"}`, nil); status >= 300 {
		t.Fatal(status, text)
	}
	f := flow(t, r.s, 0)
	f.more(t, 150)
	dir := filepath.Join(t.TempDir(), "backup")
	if err := command(t, append([]string{"backup", dir}, at(r.s)...)...); err != nil {
		t.Fatal(err)
	}
	inBackup := f.rounds.Load()
	f.more(t, 50) // these are lost with the system
	f.end()

	t.Run("a full system is refused", func(t *testing.T) {
		err := command(t, append([]string{"restore", dir}, at(r.s)...)...)
		for _, want := range []string{"not empty", "nothing was touched", "topic stock_ticks", "stream TICKS", "table candles"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	})
	t.Run("a damaged backup is refused", func(t *testing.T) { damagedBackup(t, dir) })
	t.Run("a directory is written once", func(t *testing.T) {
		if err := command(t, append([]string{"backup", dir}, at(r.s)...)...); err == nil || !strings.Contains(err.Error(), "not empty") || strings.Contains(err.Error(), "delete") {
			t.Error(err) // what is in there is a good one
		}
	})

	data, err := os.MkdirTemp("", "streamflow-restored-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	if err := os.Chmod(data, 0o755); err != nil { // PostgreSQL, which is never root, must be able to go in
		t.Fatal(err)
	}
	free := []string{"--data-dir", data, "--kafka-addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0", "--postgres-addr", "127.0.0.1:0"}
	if err := command(t, append([]string{"restore", dir}, free...)...); err != nil {
		t.Fatal(err)
	}
	again := newOpsRig(t, "--data-dir", data)
	t.Run("equal as it was restored", func(t *testing.T) { equalSystem(t, again.s) })
	if n := scalar[int64](t, again.s, `SELECT count(*) FROM stock_ticks`); n < 140*4 || n > inBackup*5 {
		t.Errorf("%d ticks were restored of some %d", n, inBackup*5)
	}
	more := flow(t, again.s, inBackup+200)
	more.more(t, 100)
	more.end()
	t.Run("equal as it went on", func(t *testing.T) { equalSystem(t, again.s) })
	t.Run("the rule is there", func(t *testing.T) {
		if status, text := again.call("GET", "/api/rules/high", "", nil); status != 200 {
			t.Error(status, text)
		}
	})
}

// damagedBackup cuts, changes and removes pieces of copies of a backup.
func damagedBackup(t *testing.T, dir string) {
	for piece, damage := range map[string]func(path string) error{
		"kafka/stock_ticks-0.zst": func(path string) error { return os.Truncate(path, 100) },
		"jetstream/TICKS.zst": func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			data[len(data)/2] ^= 1
			return os.WriteFile(path, data, 0o600)
		},
		"postgres/candles.zst": os.Remove,
		"manifest.json":        os.Remove,
	} {
		broken := filepath.Join(t.TempDir(), "backup")
		if err := os.CopyFS(broken, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := damage(filepath.Join(broken, piece)); err != nil {
			t.Fatal(err)
		}
		into := filepath.Join(t.TempDir(), "data")
		err := command(t, "restore", broken, "--data-dir", into)
		if err == nil || !strings.Contains(err.Error(), filepath.Base(piece)) {
			t.Errorf("%s: %v", piece, err)
		}
		if _, err := os.Stat(into); err == nil {
			t.Errorf("%s: servers were started for a damaged backup", piece)
		}
	}
	if err := command(t, "restore", dir, "--check"); err != nil {
		t.Error(err)
	}
	if _, err := backup.Open(t.TempDir()); err == nil {
		t.Error("an empty directory is a backup")
	}
}

// scalar asks the database of a system for one value.
func scalar[T any](t *testing.T, s servers, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// wrongCandles are those that closed and are not what the stored ticks make, and
// ticks of closed minutes that have none. Windows that a tick is still on its way
// to are not closed.
const wrongCandles = `SELECT count(*) FROM (
	SELECT symbol, date_trunc('minute', time) AS start, count(*) AS trades, sum(volume)::bigint AS volume, max(price) AS high, min(price) AS low
	FROM stock_ticks GROUP BY 1, 2) want
	FULL JOIN (SELECT * FROM candles WHERE interval = '1m') have USING (symbol, start)
	WHERE (want.trades, want.volume, want.high, want.low) IS DISTINCT FROM (have.trades, have.volume, have.high, have.low)`

// equalSystem waits until all is stored, and fails if the stores differ, or a
// result is missing, doubled or wrong.
func equalSystem(t *testing.T, s servers) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	report, err := compare(t.Context(), s, verifyFlags{Wait: 4 * time.Minute}, log)
	if err != nil {
		t.Fatal(err)
	}
	if report.Differences > 0 || report.Waited != "" || report.Ticks == 0 || report.DeadLetters == 0 {
		report.print(true)
		t.Errorf("%d differences, %d ticks, %d dead letters, %s", report.Differences, report.Ticks, report.DeadLetters, report.Waited)
	}
	for _, c := range []struct{ stream, subjects, topic, table string }{
		{streamflow.StreamCandles, streamflow.SubjectAllCandles, streamflow.TopicCandles, ""},
		{streamflow.StreamAlerts, streamflow.SubjectAllAlerts, streamflow.TopicAlerts, streamflow.TableAlerts},
		{streamflow.StreamIndicators, streamflow.SubjectAllIndicators, streamflow.TopicIndicators, ""},
	} {
		eventually(t, c.stream+" is in topic "+c.topic, func() string { return sameResults(t, s, c.stream, c.subjects, c.topic) })
		if c.table != "" {
			facts, _ := factsOf(t, s, c.stream, c.subjects)
			eventually(t, c.stream+" is in table "+c.table, func() string {
				if n := scalar[int64](t, s, "SELECT count(*) FROM "+c.table); n == 0 || n != int64(len(facts)) {
					return fmt.Sprintf("%d rows, %d facts", n, len(facts))
				}
				return ""
			})
		}
	}
	eventually(t, "candles are what the ticks make", func() string {
		if n := scalar[int64](t, s, wrongCandles); n > 0 {
			return fmt.Sprintf("%d of %d are not", n, scalar[int64](t, s, `SELECT count(*) FROM candles WHERE interval = '1m'`))
		}
		return ""
	})
}

// eventually asks until nothing is wrong.
func eventually(t *testing.T, what string, wrong func() string) {
	t.Helper()
	last := ""
	for end := time.Now().Add(4 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if last = wrong(); last == "" {
			return
		}
	}
	t.Errorf("%s: not within four minutes: %s", what, last)
}

// factsOf returns the positions of a stream's facts, and what is wrong with them.
func factsOf(t *testing.T, s servers, stream, subjects string) (facts map[string]int, wrong string) {
	t.Helper()
	js, err := s.natsFlags.connect("test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer js.Close()
	facts = make(map[string]int)
	next := make(map[streamflow.Partition]int64)
	err = js.Scan(t.Context(), stream, subjects, false, func(m *streamflow.Message) error {
		if m.Position.Topic == "" {
			return nil // a view
		}
		if want := next[m.Position.In()]; m.Position.Offset != want {
			wrong = fmt.Sprintf("%s comes where %d is next", m.Position, want)
		}
		next[m.Position.In()] = m.Position.Offset + 1
		facts[m.Position.String()]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return facts, wrong
}

// sameResults compares the facts of a stream with the records of its topic.
func sameResults(t *testing.T, s servers, stream, subjects, topic string) string {
	t.Helper()
	facts, wrong := factsOf(t, s, stream, subjects)
	if wrong != "" {
		return wrong
	}
	client, err := kafka.Connect(t.Context(), s.config("test", slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, end, err := kafka.Marks(t.Context(), client, topic)
	if err != nil {
		t.Fatal(err)
	}
	records := make(map[string]int)
	err = kafka.Scan(t.Context(), client, topic, end, func(r *kgo.Record) error {
		for _, h := range r.Headers {
			if h.Key == streamflow.HeaderOutput {
				records[string(h.Value)]++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(facts) == 0 || !maps.Equal(facts, records) {
		most := slices.Max(append(slices.Collect(maps.Values(records)), 0))
		return fmt.Sprintf("%d facts, %d records of them, one %d times", len(facts), len(records), most)
	}
	return ""
}
