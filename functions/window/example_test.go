package window_test

import (
	"fmt"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/window"
)

// Ticks counted in windows of ten seconds, as a function.
func Example() {
	plan, err := window.NewPlan(window.Default, window.Length{Size: 10 * time.Second})
	if err != nil {
		panic(err)
	}
	type state struct{ Counts window.Windows[int] }
	f := functions.Func[state]{
		Name: "counts",
		New:  func(string) state { return state{window.New[int](plan)} },
		Wake: func(s *state) time.Time { return s.Counts.Wake() },
		Step: func(s *state, in *functions.Input, out *functions.Output) error {
			done := func(_ int, w *window.Window[int]) {
				text := fmt.Sprintf("%s: %d, amended %d", time.Unix(0, w.Start).UTC().Format(time.TimeOnly), w.Value, w.Amended)
				out.Publish(streamflow.ResultSubject("counts", in.Key), []byte(text))
			}
			if in.Message == nil {
				s.Counts.Advance(in.Now, done)
			} else if s.Counts.Add(in.Tick.Time, in.Produced(), func(n *int) { *n++ }, done) != window.Taken {
				out.Count("late", 1)
			}
			return nil
		},
	}.Build()

	run := functions.NewBatch(f)
	start := time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)
	show := func(facts []streamflow.Message, err error) {
		for _, m := range facts {
			fmt.Println(m.Subject, string(m.Data), err)
		}
	}
	for i, second := range []int{1, 9, 12, 3} {
		t := streamflow.Tick{Symbol: "AAPL", Price: 187.23, Volume: 100, Time: start.Add(time.Duration(second) * time.Second)}
		show(run.Step(&streamflow.Message{
			Subject: streamflow.TickSubject("AAPL"), Data: t.AppendJSON(nil),
			Position: streamflow.Position{Topic: streamflow.TopicTicks, Offset: int64(i)},
		}))
	}
	show(run.Advance(start.Add(22 * time.Second)))
	// Output:
	// results.counts.AAPL 12:00:00: 2, amended 0 <nil>
	// results.counts.AAPL 12:00:00: 3, amended 1 <nil>
	// results.counts.AAPL 12:00:10: 1, amended 0 <nil>
}
