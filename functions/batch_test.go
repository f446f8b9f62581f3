package functions_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// tally is the state of the tests' function: it forgets nothing, so that two
// states are the same only if the same messages and wake-ups made them, in the
// same order.
type tally struct {
	N      int64
	Hash   uint64
	Woken  []wake // since the newest fact
	Silent int64  // messages since the newest wake-up
	Last   int64  // when the newest message was produced
}

// wake is when a key was woken, after how many messages.
type wake struct{ N, At int64 }

func (s *tally) add(n uint64) { s.Hash = (s.Hash ^ n) * 1099511628211 }

// errPoison is what volume 13 does; 14 panics, after it has spoiled the state.
var errPoison = errors.New("volume 13")

// hushFor is after how long without messages a key wants to be woken.
const hushFor = 3 * time.Second

// newTally returns a function that publishes every so often, counts, fails, and
// tells when a key has fallen silent.
func newTally(name string, every int64) *functions.Function { return tallyFunc(name, every).Build() }

// newQuiet returns the same, but nobody is woken: what the clock has brought
// about is not part of a replay.
func newQuiet(name string, every int64) *functions.Function {
	f := tallyFunc(name, every)
	f.Wake = nil
	return f.Build()
}

func tallyFunc(name string, every int64) functions.Func[tally] {
	return functions.Func[tally]{
		Name: name, Version: "1",
		Step: func(s *tally, in *functions.Input, out *functions.Output) error {
			if in.Message == nil {
				s.Woken, s.Silent = append(s.Woken, wake{s.N, in.Now.UnixNano()}), 0
				s.add(uint64(in.Now.UnixNano()))
				if s.N%2 == 0 {
					publish(s, in, out)
				}
				return nil
			}
			s.N++
			s.Silent++
			s.Last = in.Produced().UnixNano()
			s.add(uint64(in.Tick.Price * 100))
			switch in.Tick.Volume {
			case 13:
				out.Publish("results."+name+".never", nil)
				return errPoison
			case 14:
				panic("volume 14")
			}
			if s.N%every == 0 {
				publish(s, in, out)
			}
			out.Count("steps", 1)
			return nil
		},
		Wake: func(s *tally) time.Time {
			if s.Silent == 0 {
				return time.Time{}
			}
			return time.Unix(0, s.Last).Add(hushFor)
		},
		View: func(s *tally, key string, out *functions.Output) {
			out.View(streamflow.ResultSubject(name, key), fmt.Append(nil, s.N))
		},
	}
}

// fact is what it publishes.
type fact struct {
	N     int64
	Hash  uint64
	Woken []wake
}

func publish(s *tally, in *functions.Input, out *functions.Output) {
	data, err := json.Marshal(fact{s.N, s.Hash, s.Woken})
	if err != nil {
		panic(err)
	}
	out.Publish(streamflow.ResultSubject("tally", in.Key), data)
	s.Woken = nil
}

// tick returns a message of a symbol; its price is made from n.
func tick(symbol string, partition int32, offset int64, volume int64, at time.Time) streamflow.Message {
	t := streamflow.Tick{Symbol: symbol, Price: float64(offset%1000) + 1, Volume: volume, Time: at.UTC()}
	return streamflow.Message{
		Subject: streamflow.TickSubject(symbol), Data: t.AppendJSON(nil), Hops: string(streamflow.AppendHop(nil, streamflow.HopKafka, at)),
		Position: streamflow.Position{Topic: streamflow.TopicTicks, Partition: partition, Offset: offset}, Previous: offset - 1,
	}
}

var morning = time.Date(2025, 1, 2, 9, 0, 0, 0, time.UTC)

func TestBatch(t *testing.T) {
	b := functions.NewBatch(newTally("tally", 2))
	var facts []string
	keep := func(list []streamflow.Message, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			facts = append(facts, fmt.Sprint(m.Position, " ", m.Previous, " ", m.Subject, " ", m.Cause))
		}
	}
	for i := range int64(4) {
		m := tick("A.B", 1, i, 1, morning.Add(time.Duration(i)*time.Second))
		keep(b.Step(&m))
	}
	keep(b.Advance(morning.Add(3*time.Second + hushFor - 1)))
	keep(b.Advance(morning.Add(3*time.Second + hushFor)))
	keep(b.Advance(morning.Add(time.Hour)))
	want := "tally.batch/0/0 -1 results.tally.A%2EB stock_ticks/1/1|tally.batch/0/1 0 results.tally.A%2EB stock_ticks/1/3|tally.batch/0/2 1 results.tally.A%2EB stock_ticks/1/3"
	if got := strings.Join(facts, "|"); got != want {
		t.Errorf("facts:\n%s\nwant:\n%s", got, want)
	}
	views := b.Views()
	if len(views) != 1 || string(views[0].Data) != "4" || views[0].Position.Topic != "" || views[0].Cause.Offset != 3 {
		t.Errorf("views: %+v", views)
	}
	if len(b.Views()) != 0 {
		t.Error("there are views though nothing has changed")
	}
	if fmt.Sprint(b.Keys(), b.Counts()) != "[A.B] map[steps:4]" {
		t.Error(b.Keys(), b.Counts())
	}
}

func TestBatchSetsPoisonAside(t *testing.T) {
	b, clean := functions.NewBatch(newTally("tally", 1)), functions.NewBatch(newTally("tally", 1))
	volumes := []int64{13, 1, 14, 2, 13, 14, 3}
	for i, v := range volumes {
		m := tick("A", 0, int64(i), v, morning)
		facts, err := b.Step(&m)
		var step *functions.StepError
		if poison := v > 10; (err != nil) != poison || poison && (!errors.As(err, &step) || len(facts) > 0) {
			t.Fatalf("volume %d: %d facts, %v", v, len(facts), err)
		}
		if v == 13 && !errors.Is(err, errPoison) || v == 14 && !strings.Contains(string(step.Stack), "newTally") {
			t.Errorf("volume %d: %v", v, err)
		}
		if v < 10 {
			if _, err := clean.Step(&m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if a, b := saved(t, b), saved(t, clean); a != b {
		t.Errorf("what fails leaves traces:\n%q\n%q", a, b)
	}
}

func saved(t *testing.T, b *functions.Batch) string {
	t.Helper()
	data, err := b.Save()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A state that was restored is the state that was saved, and goes on as it.
func TestRestoredStateIsTheSame(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := newTally("tally", 3)
		straight, broken := functions.NewBatch(f), functions.NewBatch(f)
		for i := range int64(300) {
			m := tick(string(rune('A'+r.IntN(12))), int32(r.IntN(3)), i, int64(r.IntN(16)), morning.Add(time.Duration(i)*time.Second/3))
			a, errA := straight.Step(&m)
			b, errB := broken.Step(&m)
			same(t, a, b)
			if (errA == nil) != (errB == nil) {
				t.Fatal(errA, errB)
			}
			if r.IntN(10) == 0 {
				now := m.Position.Offset*int64(time.Second)/3 + int64(r.IntN(5))*int64(time.Second)
				a, _ = straight.Advance(morning.Add(time.Duration(now)))
				b, _ = broken.Advance(morning.Add(time.Duration(now)))
				same(t, a, b)
			}
			if r.IntN(20) == 0 {
				if err := broken.Restore([]byte(saved(t, broken))); err != nil {
					t.Fatal(err)
				}
				if saved(t, broken) != saved(t, straight) {
					t.Fatalf("seed %d: not the same after message %d", seed, i)
				}
			}
		}
	}
}

func same(t *testing.T, a, b []streamflow.Message) {
	t.Helper()
	if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
		t.Fatalf("facts differ:\n%s\n%s", x, y)
	}
}

func TestRestoreRefuses(t *testing.T) {
	b := functions.NewBatch(newTally("tally", 2))
	for i := range int64(5) {
		m := tick(string(rune('A'+i)), 0, i, 1, morning)
		if _, err := b.Step(&m); err != nil {
			t.Fatal(err)
		}
	}
	data := saved(t, b)
	for n := range len(data) {
		if err := functions.NewBatch(newTally("tally", 2)).Restore([]byte(data[:n])); err == nil {
			t.Errorf("%d of %d bytes were taken for a whole state", n, len(data))
		}
	}
	if err := functions.NewBatch(newTally("other", 2)).Restore([]byte(data)); err == nil {
		t.Error("the state of another function was taken")
	}
}

func FuzzRestore(f *testing.F) {
	b := functions.NewBatch(newTally("tally", 2))
	for i := range int64(3) {
		m := tick("AAPL", 0, i, 1, morning)
		if _, err := b.Step(&m); err != nil {
			f.Fatal(err)
		}
	}
	data, err := b.Save()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("SFS1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a := functions.NewBatch(newTally("tally", 2))
		if a.Restore(data) != nil {
			return
		}
		again := functions.NewBatch(newTally("tally", 2))
		if err := again.Restore([]byte(saved(t, a))); err != nil {
			t.Fatal(err)
		}
		if saved(t, again) != saved(t, a) {
			t.Error("saved, restored and saved again is not the same")
		}
	})
}

// What the platform itself takes for a tick: to decode it, to find its state,
// to step it.
func BenchmarkStep(b *testing.B) {
	f := functions.Func[int64]{Name: "bench", Step: func(s *int64, in *functions.Input, out *functions.Output) error {
		*s += in.Tick.Volume
		return nil
	}}.Build()
	m := functions.NewBench(f)
	ticks := make([]streamflow.Message, 500)
	for i := range ticks {
		ticks[i] = tick(fmt.Sprintf("SYM%03d", i), 0, int64(i), 7, morning)
		m.Step(&ticks[i])
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := streamflow.DecodeTick(ticks[i%500].Data, nil, streamflow.AnyTime); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			m.Step(&ticks[i%500])
		}
	})
}
