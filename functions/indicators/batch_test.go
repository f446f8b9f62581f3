package indicators

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// The function as the platform runs it: two symbols, a checkpoint half way.
func TestBatch(t *testing.T) {
	in := trades(rand.New(rand.NewPCG(1, 2)), 600)
	for i := range in {
		in[i].Symbol = []string{"BRK.B", "AAPL"}[i%2]
	}
	whole := functions.NewBatch(New(quick))
	want := batch(t, whole, in)
	first := functions.NewBatch(New(quick))
	got := batch(t, first, in[:300])
	state, err := first.Save()
	if err != nil {
		t.Fatal(err)
	}
	second := functions.NewBatch(New(quick))
	if err := second.Restore(state); err != nil {
		t.Fatal(err)
	}
	got = append(got, batch(t, second, in[300:])...)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("from a checkpoint it publishes something else")
	}
	if len(want) < 100 || want[0].Symbol == "" {
		t.Errorf("it published %d facts, the first %+v", len(want), want[0])
	}
	views := make(map[string]streamflow.Indicators)
	for _, m := range whole.Views() {
		views[m.Subject] = unmarshal(t, m.Data)
	}
	for i, subject := range []string{streamflow.IndicatorSubject("BRK.B"), streamflow.IndicatorSubject("AAPL")} {
		v, tick := views[subject], in[len(in)-2+i]
		if v.Interval != streamflow.IntervalTick || v.Symbol != tick.Symbol || v.Price != tick.Price || !v.Time.Equal(tick.Time) || v.Last.Offset != tick.offset || len(v.Values) < 20 {
			t.Errorf("%s shows %+v, want the tick %+v", subject, v, tick)
		}
	}
	// A tick of long ago is counted, and changes nothing.
	old := in[0]
	old.produced = in[len(in)-1].produced
	if facts := batch(t, whole, []trade{old}); len(facts) > 0 || whole.Counts()["late"] != 1 {
		t.Errorf("a late tick published %v and was counted %v", facts, whole.Counts())
	}
	if facts, err := whole.Advance(began.Add(time.Hour)); err != nil || len(facts) < 4 {
		t.Errorf("silence closed %d candles, %v", len(facts), err)
	}
}

func batch(t *testing.T, b *functions.Batch, in []trade) (out []streamflow.Indicators) {
	t.Helper()
	for _, x := range in {
		facts, err := b.Step(&streamflow.Message{
			Subject: streamflow.TickSubject(x.Symbol), Data: x.AppendJSON(nil),
			Position: streamflow.Position{Topic: "stock_ticks", Partition: 1, Offset: x.offset},
			Hops:     string(streamflow.AppendHop(nil, streamflow.HopKafka, x.produced)),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range facts {
			out = append(out, unmarshal(t, m.Data))
		}
	}
	return out
}

func unmarshal(t *testing.T, data []byte) (x streamflow.Indicators) {
	t.Helper()
	if err := json.Unmarshal(data, &x); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return x
}
