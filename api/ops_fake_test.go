package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamflow"
)

// fakeWorld is Kafka, the streams, the table and the buckets in memory.
type fakeWorld struct {
	mu      sync.Mutex
	topics  map[string][3][]Record
	streams map[string][]Entry // by name, in the order of sequences
	marks   map[string]LetterMark
	rows    []streamflow.Mirrored
	desired map[string]streamflow.Desired

	away   error         // of every call, if it is set
	refuse error         // of each record
	hold   chan struct{} // Kafka confirms nothing before it is closed
	writes int
}

func newFakeWorld() *fakeWorld {
	return &fakeWorld{
		topics:  map[string][3][]Record{streamflow.TopicTicks: {}, streamflow.TopicUserEvents: {}},
		streams: map[string][]Entry{}, marks: map[string]LetterMark{},
		desired: map[string]streamflow.Desired{
			streamflow.FunctionCandles: {State: streamflow.StateRunning, Shards: 1}, streamflow.FunctionArchive: {State: streamflow.StateRunning, Shards: 1},
			streamflow.FunctionLogins: {State: streamflow.StateRunning, Shards: 1},
		},
	}
}

func (w *fakeWorld) join(c *Config) {
	c.Operations = Operations{
		Functions: w, Streams: w, Log: w, Letters: w, Table: w, Sight: w,
		By: func(context.Context) string { return "tester" },
	}
}

// fail makes every call fail from now on; nil ends that.
func (w *fakeWorld) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away = err
}

func (w *fakeWorld) lock() error {
	w.mu.Lock()
	return w.away
}

func (w *fakeWorld) Functions(context.Context) ([]FunctionState, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return nil, err
	}
	at := time.Now().Add(-time.Second)
	lag := uint64(5)
	return []FunctionState{
		{Name: streamflow.FunctionCandles, Does: "sums", Reads: streamflow.StreamTicks, Writes: streamflow.StreamCandles,
			Desired: w.desired[streamflow.FunctionCandles], Layout: streamflow.Layout{Generation: 1, Shards: 2}, Waiting: &lag,
			Shards: []ShardState{
				{streamflow.ShardStatus{Shard: 0, Worker: "a", At: at, Rate: 10, StepP50: 2, StepP99: 9, Checkpoint: at.Add(-10 * time.Second), Lag: 2}, 1},
				{streamflow.ShardStatus{Shard: 1, Worker: "b", At: at, Rate: 5, StepP50: 3, StepP99: 4, Checkpoint: at, Lag: 1}, 1},
			}},
		{Name: streamflow.FunctionArchive, Sink: true, Reads: streamflow.StreamTicks, Writes: "table stock_ticks", Desired: w.desired[streamflow.FunctionArchive]},
		{Name: streamflow.FunctionLogins, Reads: streamflow.StreamEvents, Writes: streamflow.StreamResults, Desired: w.desired[streamflow.FunctionLogins]},
	}, nil
}

func (w *fakeWorld) Change(_ context.Context, name string, edit func(*streamflow.Desired) error) error {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return err
	}
	d := w.desired[name]
	if err := edit(&d); err != nil {
		return err
	}
	if name == streamflow.FunctionArchive && (d.Shards != 1 || d.Replay != nil) {
		return &FunctionFault{"it is a sink"}
	}
	w.desired[name] = d
	return nil
}

func (w *fakeWorld) Replay(ctx context.Context, name, from string) (streamflow.Replay, error) {
	age, err := time.ParseDuration(from)
	if err != nil || age <= 0 {
		return streamflow.Replay{}, &FunctionFault{"want an age"}
	}
	r := streamflow.Replay{ID: "r1", From: time.Now().Add(-age).UTC()}
	return r, w.Change(ctx, name, func(d *streamflow.Desired) error { d.Replay = &r; return nil })
}

// put appends a message to a stream and returns its sequence.
func (w *fakeWorld) put(stream string, e Entry) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.Sequence = 1
	if n := len(w.streams[stream]); n > 0 {
		e.Sequence = w.streams[stream][n-1].Sequence + 1
	}
	if e.Stored.IsZero() {
		e.Stored = time.Now()
	}
	w.streams[stream] = append(w.streams[stream], e)
	return e.Sequence
}

func (w *fakeWorld) Back(_ context.Context, stream, filter string, upTo uint64, limit int, pick func(*Entry) bool) (found []Entry, next uint64, err error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return nil, 0, err
	}
	for _, e := range slices.Backward(w.streams[stream]) {
		if (upTo != 0 && e.Sequence > upTo) || !subjectMatches(filter, e.Subject) || !pick(&e) {
			continue
		}
		if len(found) == limit {
			return found, e.Sequence, nil
		}
		found = append(found, e)
	}
	return found, 0, nil
}

func subjectMatches(filter, subject string) bool {
	f, s := strings.Split(filter, "."), strings.Split(subject, ".")
	for i, t := range f {
		if t == ">" {
			return len(s) > i
		}
		if i >= len(s) || t != "*" && t != s[i] {
			return false
		}
	}
	return len(f) == len(s)
}

func (w *fakeWorld) Newest(_ context.Context, stream, filter string) ([]Entry, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return nil, err
	}
	by := map[string]Entry{}
	for _, e := range w.streams[stream] {
		if subjectMatches(filter, e.Subject) {
			by[e.Subject] = e
		}
	}
	var found []Entry
	for _, e := range by {
		found = append(found, e)
	}
	return found, nil
}

func (w *fakeWorld) Get(_ context.Context, stream string, sequence uint64) (Entry, bool, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return Entry{}, false, err
	}
	for _, e := range w.streams[stream] {
		if e.Sequence == sequence {
			return e, true, nil
		}
	}
	return Entry{}, false, nil
}

func (w *fakeWorld) Caused(_ context.Context, stream, subject string, p streamflow.Position) (found []Entry, err error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return nil, err
	}
	for _, e := range w.streams[stream] {
		if !subjectMatches(subject, e.Subject) || e.Cause.In() != p.In() || e.Cause.Offset < p.Offset {
			continue
		}
		if e.Cause != p && len(found) > 0 {
			break
		}
		if found = append(found, e); e.Cause != p {
			break
		}
	}
	return found, nil
}

func (w *fakeWorld) Record(_ context.Context, p streamflow.Position) (Record, bool, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return Record{}, false, err
	}
	logs := w.topics[p.Topic]
	if p.Partition < 0 || int(p.Partition) >= len(logs) {
		return Record{}, false, nil
	}
	if log := logs[p.Partition]; p.Offset < int64(len(log)) {
		return log[p.Offset], true, nil
	}
	return Record{}, false, nil
}

// Text reads the one format of this world: what follows the schema's id.
func (w *fakeWorld) Text(_ context.Context, _ string, value []byte) []byte {
	if !streamflow.Framed(value) || len(value) < 5 || value[4] != 1 {
		return nil
	}
	return value[5:]
}

func (w *fakeWorld) Ends(_ context.Context, topic string) (map[int32]int64, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return nil, err
	}
	logs, ok := w.topics[topic]
	if !ok {
		return nil, nil
	}
	ends := map[int32]int64{}
	for i := range logs {
		ends[int32(i)] = int64(len(logs[i]))
	}
	return ends, nil
}

func (w *fakeWorld) Find(_ context.Context, topic string, from map[int32]int64, header, value string) (streamflow.Position, bool, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return streamflow.Position{}, false, err
	}
	for i, log := range w.topics[topic] {
		for _, r := range log[from[int32(i)]:] {
			for _, h := range r.Headers {
				if h.Key == header && string(h.Value) == value {
					return r.Position, true, nil
				}
			}
		}
	}
	return streamflow.Position{}, false, nil
}

// write appends a record as Kafka does.
func (w *fakeWorld) write(r Record) streamflow.Position {
	logs := w.topics[r.Position.Topic]
	if r.Position.Partition < 0 {
		r.Position.Partition = int32(len(r.Key) % 3)
	}
	log := &logs[r.Position.Partition]
	r.Position.Offset = int64(len(*log))
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	*log = append(*log, r)
	w.topics[r.Position.Topic] = logs
	w.writes++
	return r.Position
}

func (w *fakeWorld) Produce(_ context.Context, records []Record) (<-chan struct{}, []Outcome, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return nil, nil, err
	}
	hold, done, outcomes := w.hold, make(chan struct{}), make([]Outcome, len(records))
	go func() {
		if hold != nil {
			<-hold
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		defer close(done)
		for i, r := range records {
			if outcomes[i].Err = w.refuse; w.refuse == nil {
				outcomes[i].Position = w.write(r)
			}
		}
	}()
	return done, outcomes, nil
}

func (w *fakeWorld) Marks(_ context.Context, keys []string) ([]LetterMark, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return nil, err
	}
	marks := make([]LetterMark, len(keys))
	for i, k := range keys {
		marks[i] = w.marks[k]
	}
	return marks, nil
}

func (w *fakeWorld) Mark(_ context.Context, key string, m LetterMark) (uint64, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return 0, err
	}
	if w.marks[key].Revision != m.Revision {
		return 0, streamflow.ErrFenced
	}
	m.Revision++
	w.marks[key] = m
	return m.Revision, nil
}

func (w *fakeWorld) At(_ context.Context, p streamflow.Position) (streamflow.Mirrored, bool, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return streamflow.Mirrored{}, false, err
	}
	for _, m := range w.rows {
		if m.Position == p {
			return m, true, nil
		}
	}
	return streamflow.Mirrored{}, false, nil
}

func (w *fakeWorld) Kafka(context.Context) ([]PipelineTopic, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return nil, err
	}
	lag := int64(2)
	t := PipelineTopic{Name: streamflow.TopicTicks, Groups: []PipelineGroup{{Name: streamflow.GroupBridge, State: "Stable", Members: 1, Lag: &lag}}}
	for i, log := range w.topics[streamflow.TopicTicks] {
		t.Partitions = append(t.Partitions, PipelinePartition{Partition: int32(i), End: int64(len(log))})
	}
	return []PipelineTopic{t}, nil
}

func (w *fakeWorld) Streams(context.Context) ([]PipelineStream, error) {
	defer w.mu.Unlock()
	if err := w.lock(); err != nil {
		return nil, err
	}
	n := uint64(len(w.streams[streamflow.StreamTicks]))
	return []PipelineStream{{Name: streamflow.StreamTicks, Messages: n, LastSeq: n, Consumers: []PipelineConsumer{
		{Name: "archive-0", Pending: 3, AckPending: 4}, {Name: "archive-candles-0", Pending: 100}, {Name: "candles-0", Pending: 1}, {Name: "candles-1", Pending: 1},
	}}}, nil
}

func (w *fakeWorld) Database(context.Context) (DatabaseCounters, error) {
	defer w.mu.Unlock()
	err := w.lock()
	return DatabaseCounters{Bytes: 1000, Rows: 10, Commits: 5, Connections: 2, Archived: 7}, err
}

var errAway = errors.New("connection refused")

// call sends a request and reads the answer into out, where that is not nil.
func (g *rig) call(t *testing.T, method, path, body string, out any, headers ...string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequest(method, g.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Minute}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(data, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
	}
	return resp.StatusCode, string(data)
}
