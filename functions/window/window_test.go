package window

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamflow/functions/coder"
)

// tally is the simplest thing that windows can hold.
type tally struct{ n, sum int64 }

func (v *tally) take(x int64) { v.n, v.sum = v.n+1, v.sum+x }

func codeTally(c *coder.Coder, _ int64, v *tally) { c.Int(&v.n); c.Int(&v.sum) }

// noon is where the tests begin.
var noon = time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

// rig writes down what the windows of one key hand out.
type rig struct {
	t *testing.T
	Windows[tally]
	done []string
}

func newRig(t *testing.T, policy Policy, lengths ...Length) *rig {
	t.Helper()
	plan, err := NewPlan(policy, lengths...)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, Windows: New[tally](plan)}
}

func (r *rig) note(length int, w *Window[tally]) {
	from := time.Unix(0, w.Start).Sub(noon)
	text := fmt.Sprintf("%s+%s:%d", from, r.plan.Lengths[length].Size, w.Value.n)
	if w.Amended > 0 {
		text += fmt.Sprintf(" amended %d", w.Amended)
	}
	r.done = append(r.done, text)
}

// tick adds an event that is produced as soon as it happens.
func (r *rig) tick(seconds float64) Verdict { return r.late(seconds, seconds) }

// late adds an event that is produced at another time than it happened.
func (r *rig) late(seconds, produced float64) Verdict {
	return r.Add(at(seconds), at(produced), func(v *tally) { v.take(1) }, r.note)
}

func (r *rig) want(done ...string) {
	r.t.Helper()
	if !slices.Equal(r.done, done) {
		r.t.Errorf("done are\n%s\nwant\n%s", strings.Join(r.done, "\n"), strings.Join(done, "\n"))
	}
	r.done = nil
}

func (r *rig) verdict(got, want Verdict) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("the verdict is %d, want %d", got, want)
	}
}

func tumbling(d time.Duration) Length { return Length{Size: d} }

// A window is [start, end): what comes at its end is behind it.
func TestTumbling(t *testing.T) {
	r := newRig(t, Default, tumbling(time.Second), tumbling(5*time.Second))
	r.tick(0)
	r.tick(0.999999999)
	r.want()
	r.tick(1)
	r.want("0s+1s:2")
	r.tick(7)
	r.want("1s+1s:1", "0s+5s:3")
	if got := r.Growing(1); got == nil || got.Value.n != 1 || !got.Open() {
		t.Errorf("growing is %v, want the window of one event", got)
	}
	if mark := r.Watermark(); !mark.Equal(at(7)) {
		t.Errorf("the watermark is at %s, want %s", mark, at(7))
	}
}

// An event is in all sliding windows that cover it.
func TestSliding(t *testing.T) {
	r := newRig(t, Default, Length{Size: 10 * time.Second, Slide: 4 * time.Second})
	r.tick(8) // in those of 0 to 10, 4 to 14 and 8 to 18
	r.tick(11)
	r.want("0s+10s:1")
	r.tick(30)
	r.want("4s+10s:2", "8s+10s:2")
	r.late(9, 30)
	r.want("0s+10s:2 amended 1", "4s+10s:3 amended 1", "8s+10s:3 amended 1")
}

// Windows of days start at midnight UTC, before 1970 as well.
func TestAlignment(t *testing.T) {
	for _, moment := range []time.Time{noon, time.Unix(0, 0), time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC)} {
		r := newRig(t, Default, tumbling(24*time.Hour))
		r.Add(moment, moment, func(v *tally) { v.take(1) }, r.note)
		if start, want := time.Unix(0, r.Growing(0).Start).UTC(), moment.UTC().Truncate(24*time.Hour); !start.Equal(want) {
			t.Errorf("%s is in the day of %s, want %s", moment, start, want)
		}
	}
}

// The delay keeps windows open for what is out of order.
func TestDelay(t *testing.T) {
	policy := Default
	policy.Delay = 3 * time.Second
	r := newRig(t, policy, tumbling(time.Second))
	for _, s := range []float64{0, 2, 1, 3, 0.5, 2.5} {
		r.tick(s)
	}
	r.want()
	r.tick(4)
	r.want("0s+1s:2")
	r.tick(6)
	r.want("1s+1s:1", "2s+1s:2")
}

func TestLateness(t *testing.T) {
	r := newRig(t, Default, tumbling(time.Second))
	r.tick(0)
	r.tick(1)
	r.tick(90)
	r.want("0s+1s:1", "1s+1s:1")
	r.verdict(r.late(0, 90), Taken)
	r.want("0s+1s:2 amended 1")
	r.verdict(r.late(0.5, 90), Taken)
	r.want("0s+1s:3 amended 2")
	r.verdict(r.late(5, 90), Taken) // the first of its time is late: done once, and at once
	r.want("5s+1s:1")
	r.verdict(r.late(-0.000000001, 90), Late)
	r.tick(91)
	r.verdict(r.late(0.999, 91), Late)
	r.want("1m30s+1s:1")
	if floor := r.Floor(); !floor.Equal(at(1)) {
		t.Errorf("the floor is %s, want %s", floor, at(1))
	}
	for w := range r.All(0) {
		if end := w.Start + int64(time.Second); end <= at(1).UnixNano() {
			t.Errorf("the window that ends at %s is kept", time.Unix(0, end))
		}
	}
}

// A tick whose clock is ahead opens its window and makes nobody late.
func TestAhead(t *testing.T) {
	r := newRig(t, Default, tumbling(time.Second), tumbling(time.Minute))
	r.tick(0)
	r.verdict(r.late(300, 0.1), Taken)
	r.want("0s+1s:1") // the clocks may differ by a second
	if mark := r.Watermark(); !mark.Equal(at(1.1)) {
		t.Errorf("the watermark is at %s, want %s", mark, at(1.1))
	}
	r.verdict(r.late(0.2, 0.2), Taken)
	r.want("0s+1s:2 amended 1")
	if w := r.Growing(1); w == nil || w.Start != noon.UnixNano() {
		t.Errorf("growing is %v, want the minute in which the ticks are", w)
	}
	for s := range 100 {
		r.verdict(r.tick(float64(s+2)), Taken)
	}
	if len(r.done) != 99+1 {
		t.Errorf("%d windows are done, want 99 seconds and a minute", len(r.done))
	}
	r.done = nil
	r.tick(299)
	r.want("1m41s+1s:1", "1m0s+1m0s:42")
	r.tick(301)
	r.want("4m59s+1s:1", "5m0s+1s:1", "4m0s+1m0s:1")
	r.verdict(r.late(301+361, 301), Ahead)
	r.verdict(r.Add(at(302), time.Time{}, func(v *tally) { v.take(1) }, r.note), Taken) // no telling when it was produced
}

// Of history that is being loaded all windows have ended by the clock: a pause of
// the load closes none. That it is over does, after the lateness.
func TestPauseOfHistoryIsNoSilence(t *testing.T) {
	r := newRig(t, Default, tumbling(time.Minute))
	const hour = 3600
	for s := range 50 { // with 5 s between one and the next
		r.Advance(at(hour+5*float64(s)-0.1), r.note)
		r.late(float64(s), hour+5*float64(s))
	}
	r.want()
	last := hour + 5*49.0
	if wake, want := r.Wake(), at(last).Add(Default.Grace+Default.Lateness); !wake.Equal(want) {
		t.Errorf("it wakes at %s, want %s", wake, want)
	}
	r.Advance(r.Wake().Add(-1), r.note)
	r.want()
	r.Advance(r.Wake(), r.note)
	r.want("0s+1m0s:50")
}

// A key that falls silent closes its windows by the clock, and not before that.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Default, tumbling(time.Second), tumbling(time.Minute))
		add := func() { r.Add(time.Now(), time.Now(), func(v *tally) { v.take(1) }, r.note) }
		start := time.Now().Truncate(time.Minute).Add(time.Minute)
		sleep := func(d time.Duration) { time.Sleep(time.Until(start.Add(d))) }
		sleep(500 * time.Millisecond)
		add()
		sleep(3*time.Second - 1)
		r.Advance(time.Now(), r.note)
		if len(r.done) != 0 {
			t.Errorf("%v is done before its grace has passed", r.done)
		}
		if wake := r.Wake(); !wake.Equal(start.Add(3 * time.Second)) {
			t.Errorf("it wakes at %s, want %s", wake, start.Add(3*time.Second))
		}
		time.Sleep(time.Until(r.Wake()))
		r.Advance(time.Now(), r.note)
		if len(r.done) != 1 {
			t.Errorf("%v is done, want one second", r.done)
		}
		if mark := r.Watermark(); !mark.Equal(start.Add(500 * time.Millisecond)) {
			t.Errorf("silence moved the watermark to %s", mark)
		}
		for i := range 4 { // ticks were long on the way: the minute waits until they stop
			sleep(61*time.Second + time.Duration(i)*1500*time.Millisecond)
			r.Add(start.Add(59*time.Second), time.Now(), func(v *tally) { v.take(1) }, r.note)
			r.Advance(time.Now().Add(Default.Grace-1), r.note)
		}
		if len(r.done) != 1 {
			t.Errorf("%v is done while ticks come", r.done)
		}
		for wake := r.Wake(); !wake.IsZero(); wake = r.Wake() {
			time.Sleep(time.Until(wake))
			n := len(r.done)
			r.Advance(time.Now(), r.note)
			if len(r.done) == n {
				t.Fatalf("it woke at %s and had nothing to do", wake)
			}
		}
		if len(r.done) != 3 {
			t.Errorf("%v is done, want two seconds and a minute", r.done)
		}
	})
}

// What comes for a window that only silence has closed is collected, and amends
// it once: a backlog of a thousand ticks must not make a thousand amendments.
func TestSilenceWasWrong(t *testing.T) {
	r := newRig(t, Default, tumbling(time.Minute))
	r.tick(0)
	r.Advance(at(62), r.note)
	r.want("0s+1m0s:1")
	for s := 1; s < 60; s++ {
		r.tick(float64(s))
	}
	r.want()
	if w := r.Growing(0); w == nil || w.Amended != 59 {
		t.Errorf("growing is %v, want the minute with 59 amendments", w)
	}
	r.tick(60)
	r.want("0s+1m0s:60 amended 59")
	r.late(59, 60)
	r.want("0s+1m0s:61 amended 60")
}

func TestPolicyIsChecked(t *testing.T) {
	for name, change := range map[string]func(p *Policy, l *Length){
		"delay -1s":             func(p *Policy, _ *Length) { p.Delay = -time.Second },
		"lateness 25h":          func(p *Policy, _ *Length) { p.Lateness = 25 * time.Hour },
		"grace 0s":              func(p *Policy, _ *Length) { p.Grace = 0 },
		"skew 1h":               func(p *Policy, _ *Length) { p.Skew = time.Hour },
		"ahead 48h":             func(p *Policy, _ *Length) { p.Ahead = 48 * time.Hour },
		"window of 0s every":    func(_ *Policy, l *Length) { l.Size = 0 },
		"window of 1m0s every ": func(_ *Policy, l *Length) { l.Slide = time.Hour },
	} {
		policy, length := Default, tumbling(time.Minute)
		change(&policy, &length)
		if _, err := NewPlan(policy, length); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: want %q in it", err, name)
		}
	}
}

// The newest window takes an event without asking for memory, and new ones use
// that of those that are dropped.
func TestMemory(t *testing.T) {
	r := newRig(t, Default, tumbling(time.Second), tumbling(time.Minute))
	add := func(s float64) {
		r.Add(at(s), at(s), func(v *tally) { v.take(1) }, func(int, *Window[tally]) {})
	}
	for s := range 10_000 {
		add(float64(s))
	}
	if n := cap(r.series[0].items); n > 150 {
		t.Errorf("there is room for %d windows, want what 90 seconds need", n)
	}
	if n := testing.AllocsPerRun(1000, func() { add(10_000.5) }); n != 0 {
		t.Errorf("an event allocates %v times", n)
	}
	s := 10_001.0
	if n := testing.AllocsPerRun(1000, func() { add(s); s++ }); n != 0 {
		t.Errorf("a new window allocates %v times", n)
	}
}
