package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/ingest"
)

// topic is a sink in memory that outlives the processes that write to it.
type topic struct {
	mu    sync.Mutex
	lines []string
	marks []string
	// fail is asked before a commit and after it.
	fail   func(after bool) error
	gone   bool
	opened []bool // whether there was a doubt
	wrote  chan struct{}
}

func (s *topic) Open(_ context.Context, d *ingest.Doubt) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = append(s.opened, d != nil)
	if d != nil && s.gone {
		return false, ingest.ErrDoubt
	}
	return d != nil && slices.Contains(s.marks, d.Mark), nil
}

func (s *topic) Ends(context.Context) (map[int32]int64, error) { return map[int32]int64{0: 0}, nil }
func (s *topic) Close()                                        {}

func (s *topic) Commit(_ context.Context, records []ingest.Record, mark string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(false); err != nil {
			return err
		}
	}
	for _, r := range records {
		s.lines = append(s.lines, string(r.Value))
	}
	s.marks = append(s.marks, mark)
	if s.wrote != nil {
		close(s.wrote)
		s.wrote = make(chan struct{})
	}
	if s.fail != nil {
		return s.fail(true)
	}
	return nil
}

// await waits until the topic holds n lines.
func (s *topic) await(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		s.mu.Lock()
		if s.wrote == nil {
			s.wrote = make(chan struct{})
		}
		have, wrote := len(s.lines), s.wrote
		s.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-wrote:
		case <-deadline:
			t.Fatalf("%d lines of %d: %q", have, n, s.lines)
		}
	}
}

// clockTick is longer than a tick of the file system's clock, also where the
// kernel counts a hundred a second.
const clockTick = 20 * time.Millisecond

type rig struct {
	t        *testing.T
	topic    *topic
	config   ingest.Config
	rejected []string
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, topic: &topic{}}
	name := filepath.Join(t.TempDir(), "x.log")
	r.config = ingest.Config{
		File: name, Target: "t", State: ingest.StateFile(name, "t"), Settle: time.Millisecond, Poll: time.Millisecond,
		Check: func(text []byte, _ time.Time) (ingest.Record, error) {
			if strings.HasPrefix(string(text), "bad") {
				return ingest.Record{}, &streamflow.RejectError{Reason: streamflow.ReasonNotJSON, Detail: "bad"}
			}
			return ingest.Record{Value: text}, nil
		},
		Open: func(string) ingest.Sink { return r.topic }, Progress: func(ingest.Progress) {},
		Rejected: func(no ingest.Rejection) error {
			r.rejected = append(r.rejected, fmt.Sprintf("%d %v", no.Line, no.Err))
			return nil
		},
		Logger: slog.New(slog.DiscardHandler),
	}
	return r
}

func (r *rig) add(name, text string) {
	r.t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(clockTick)
}

func (r *rig) rename(from, to string) {
	r.t.Helper()
	if err := os.Rename(from, to); err != nil {
		r.t.Fatal(err)
	}
}

// copyTruncate is what logrotate does with copytruncate.
func (r *rig) copyTruncate(to string) {
	r.t.Helper()
	text, err := os.ReadFile(r.config.File)
	if err == nil {
		err = os.WriteFile(to, text, 0o644)
	}
	if err == nil {
		err = os.Truncate(r.config.File, 0)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(clockTick)
}

func (r *rig) run() (ingest.Progress, error) { return ingest.Run(r.t.Context(), r.config) }

// follow runs until the topic holds n lines, and a moment longer.
func (r *rig) follow(n int) {
	r.t.Helper()
	r.config.Follow = true
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { _, err := ingest.Run(ctx, r.config); done <- err }()
	r.topic.await(r.t, n)
	cancel()
	if err := <-done; err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) want(lines ...string) {
	r.t.Helper()
	if !slices.Equal(r.topic.lines, lines) {
		r.t.Fatalf("sent %q, want %q", r.topic.lines, lines)
	}
}

func TestFile(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 300<<10)
	r.add(r.config.File, "\uFEFFa\r\n\n  \nbad\n"+long+"\nb\x00\nc")
	p, err := r.run()
	if err != nil || p.Sent != 3 || p.Rejected != 2 {
		t.Fatal(p, err)
	}
	r.want("a", "b\x00", "c")
	if want := []string{"4 not_json: bad", "5 too_large: more than 262144 bytes, the limit is 65536"}; !slices.Equal(r.rejected, want) {
		t.Errorf("%q", r.rejected)
	}
	// It was sent; what is added is not, nor is another file of the name.
	if p, err := r.run(); err != nil || p.Sent != 0 {
		t.Fatal(p, err)
	}
	r.add(r.config.File, "\nd\n")
	if p, err := r.run(); err != nil || p.Sent != 1 {
		t.Fatal(p, err)
	}
	r.config.Again = true
	if p, err := r.run(); err != nil || p.Sent != 4 {
		t.Fatal(p, err)
	}
}

func TestStream(t *testing.T) {
	r := newRig(t)
	r.config.In, r.config.File, r.config.State = io.MultiReader(strings.NewReader("a\nb"), strings.NewReader("c\nd")), "", ""
	if p, err := r.run(); err != nil || p.Sent != 3 {
		t.Fatal(p, err)
	}
	r.want("a", "bc", "d")
	broken := errors.New("broken")
	r.config.In = io.MultiReader(strings.NewReader("e\n"), &failing{broken})
	if _, err := r.run(); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// Rotations that nobody watches, of all kinds, in turn.
func TestRotationWhileAway(t *testing.T) {
	r := newRig(t)
	x := r.config.File
	r.add(x+".1", "old\n") // was there before us
	r.add(x, "a\nb\npar")
	r.follow(2)
	r.add(x, "tial\nc\n")
	r.rename(x, x+"-0101")
	r.add(x, "d\n")
	r.rename(x, x+"-0102")
	r.add(x, "e\n")
	r.copyTruncate(x + "-0103")
	r.add(x, "f\nlonger than what was there before\n")
	r.follow(8)
	r.want("a", "b", "partial", "c", "d", "e", "f", "longer than what was there before")
	r.add(x, "g\n")
	r.copyTruncate(x + "-0104")
	r.add(x, "h\n")
	r.rename(x, x+"-0105") // the inode that we know, with other lines
	r.follow(10)
	r.add(x, "i\n")
	r.follow(11)
	r.want("a", "b", "partial", "c", "d", "e", "f", "longer than what was there before", "g", "h", "i")
	// Without a copy what was not read is gone; the rest comes.
	r.add(x, "j\n")
	if err := os.Truncate(x, 0); err != nil {
		t.Fatal(err)
	}
	r.add(x, "k\n")
	r.follow(12)
	if last := r.topic.lines[11]; last != "k" {
		t.Errorf("%q", last)
	}
}

// A copy of what was read is not read again, though the file was truncated and
// the copy ends before the place where it was read to.
func TestCopyOfWhatWasReadIsLeftOut(t *testing.T) {
	r := newRig(t)
	x := r.config.File
	first := strings.Repeat("0123456789", 20)
	r.add(x, first+"\n")
	text, _ := os.ReadFile(x)
	r.add(x, "b\n")
	r.follow(2)
	if err := os.WriteFile(x+".1", text, 0o644); err != nil { // it took its time
		t.Fatal(err)
	}
	if err := os.Truncate(x, 0); err != nil {
		t.Fatal(err)
	}
	r.add(x, "c\n")
	r.follow(3)
	r.want(first, "b", "c")
}

// Rotation under the eyes of who follows: the old file to its end, with what a
// slow writer still adds, then the new one.
func TestRotationWhileFollowing(t *testing.T) {
	r := newRig(t)
	x := r.config.File
	r.config.Settle, r.config.Follow = 300*time.Millisecond, true
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := ingest.Run(ctx, r.config); done <- err }()
	r.add(x, "a\n")
	r.topic.await(t, 1)
	r.rename(x, x+".1")
	r.add(x, "c\n")
	r.add(x+".1", "b\n")
	r.topic.await(t, 3)
	r.copyTruncate(x + ".0")
	r.add(x, "d\n")
	r.topic.await(t, 4)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r.want("a", "b", "c", "d")
}

// A process that dies before, within and behind the commit: the next one knows.
func TestDeathAroundTheCommit(t *testing.T) {
	died := fmt.Errorf("%w: died", ingest.ErrRefused)
	for _, after := range []bool{false, true} {
		r := newRig(t)
		r.add(r.config.File, "a\nb\n")
		r.topic.fail = func(is bool) error {
			if is == after {
				return died
			}
			return nil
		}
		if _, err := r.run(); !errors.Is(err, died) {
			t.Fatal(err)
		}
		r.topic.fail = nil
		r.add(r.config.File, "c\n")
		if _, err := r.run(); err != nil {
			t.Fatal(err)
		}
		r.want("a", "b", "c")
		if !slices.Equal(r.topic.opened, []bool{false, true}) {
			t.Errorf("%v", r.topic.opened)
		}
	}
}

// The same within one process, whose answer was lost.
func TestLostAnswer(t *testing.T) {
	for _, after := range []bool{false, true} {
		r := newRig(t)
		r.add(r.config.File, "a\nb\n")
		once := true
		r.topic.fail = func(is bool) error {
			if is == after && once {
				once = false
				return errors.New("away")
			}
			return nil
		}
		if _, err := r.run(); err != nil {
			t.Fatal(err)
		}
		r.want("a", "b")
	}
}

func TestDoubt(t *testing.T) {
	for answer, want := range map[string][]string{"": {"a"}, "send": {"a", "a"}, "skip": {"a"}} {
		r := newRig(t)
		r.add(r.config.File, "a\n")
		r.topic.fail = func(after bool) error {
			if after {
				return ingest.ErrRefused
			}
			return nil
		}
		_, _ = r.run()
		r.topic.fail, r.topic.gone, r.config.Doubt = nil, true, answer
		if _, err := r.run(); (err != nil) != (answer == "") || answer == "" && !errors.Is(err, ingest.ErrDoubt) {
			t.Errorf("%q: %v", answer, err)
		}
		r.want(want...)
	}
}

func TestStateIsHeldAndKeptApart(t *testing.T) {
	r := newRig(t)
	r.add(r.config.File, "a\n")
	r.topic.fail = func(bool) error {
		if _, err := ingest.Run(t.Context(), r.config); !errors.Is(err, ingest.ErrHeld) {
			t.Errorf("two work with one state: %v", err)
		}
		return nil
	}
	if _, err := r.run(); err != nil {
		t.Fatal(err)
	}
	r.config.Target = "other"
	if _, err := r.run(); err == nil || !strings.Contains(err.Error(), "belongs to") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(r.config.State, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.run(); err == nil || !strings.Contains(err.Error(), "no state") {
		t.Errorf("%v", err)
	}
}

func TestCSV(t *testing.T) {
	r := newRig(t)
	r.config.CSV = &ingest.CSV{
		Rename: map[string]string{"Last": "price"}, Ignore: []string{"offset"}, Texts: []string{"symbol", "id"}, Required: []string{"symbol", "price"},
	}
	r.add(r.config.File, "symbol,Last,id,offset,note,extra\nAAPL,1.5,007,9,\"a \"\"b\"\"\nc\",\"{\"\"k\"\":1}\"\nbad\"x,1,,,,\n1,2\n7,2,8,,12,\n")
	if _, err := r.run(); err != nil {
		t.Fatal(err)
	}
	r.want(`{"symbol":"AAPL","price":1.5,"id":"007","note":"a \"b\"\u000ac","k":1}`, `{"symbol":"7","price":2,"id":"8","note":12}`)
	want := []string{
		"4 unparsable_field: no record of CSV: a quote stands where none may",
		"5 unparsable_field: no record of CSV: another number of fields than the header: 2 for 6",
	}
	if !slices.Equal(r.rejected, want) {
		t.Errorf("%q", r.rejected)
	}
	r.add(r.config.File, "MSFT,3,,,,\n") // the header is behind us
	if _, err := r.run(); err != nil {
		t.Fatal(err)
	}
	if last := r.topic.lines[2]; last != `{"symbol":"MSFT","price":3}` {
		t.Errorf("%s", last)
	}
	r = newRig(t)
	r.config.CSV = &ingest.CSV{Required: []string{"symbol"}}
	r.add(r.config.File, "ticker,price\n")
	if _, err := r.run(); err == nil || !strings.Contains(err.Error(), "no column symbol") {
		t.Errorf("%v", err)
	}
}
