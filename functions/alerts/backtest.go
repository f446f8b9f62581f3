package alerts

import (
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"streamflow"
	"streamflow/functions"
)

// Backtest yields the alerts that a rule would have raised on ticks, as they come
// out: who has seen enough stops. The rule is judged as the platform would, from
// nothing, so indicators warm up on the first of the ticks; that it is disabled
// makes no difference. The clock stands at the moment at which each tick was
// produced (its event time where that is not known) and in the end at until.
//
// The error, of the rule, its settings or the ticks, is the last thing that is
// yielded. Ticks that come ordered by event time have no late ones among them:
// live, some may have been.
func Backtest(rule streamflow.Rule, params []byte, ticks iter.Seq2[streamflow.Mirrored, error], until time.Time) iter.Seq2[streamflow.Alert, error] {
	return func(yield func(streamflow.Alert, error) bool) {
		if err := backtest(rule, params, ticks, until, func(a streamflow.Alert) bool { return yield(a, nil) }); err != nil {
			yield(streamflow.Alert{}, err)
		}
	}
}

// backtest is Backtest; it ends without an error when yield wants no more.
func backtest(rule streamflow.Rule, params []byte, ticks iter.Seq2[streamflow.Mirrored, error], until time.Time, yield func(streamflow.Alert) bool) error {
	rule.Disabled = false
	f, errs := New([]streamflow.Rule{rule}, params)
	if len(errs) > 0 {
		return errs[0]
	}
	batch := functions.NewBatch(f)
	for m, err := range ticks {
		if err != nil {
			return fmt.Errorf("ticks for rule %q: %w", rule.ID, err)
		}
		produced := producedAt(&m)
		// What is due before the tick comes happens before it.
		facts, err := batch.Advance(produced.Add(-1))
		if more, err := pass(facts, err, yield); !more {
			return err
		}
		facts, err = batch.Step(&streamflow.Message{
			Subject: streamflow.TickSubject(m.Tick.Symbol), Data: m.Tick.AppendJSON(nil), Position: m.Position, Previous: m.Previous,
			Hops: string(streamflow.AppendHop(nil, streamflow.HopKafka, produced)), Sequence: m.Sequence, Stored: m.Stored,
		})
		if more, err := pass(facts, err, yield); !more {
			return err
		}
	}
	facts, err := batch.Advance(until)
	_, err = pass(facts, err, yield)
	return err
}

// pass yields the alerts of facts and says whether more are wanted.
func pass(facts []streamflow.Message, err error, yield func(streamflow.Alert) bool) (more bool, _ error) {
	if err != nil {
		return false, err
	}
	for i := range facts {
		var a streamflow.Alert
		if err := json.Unmarshal(facts[i].Data, &a); err != nil {
			return false, fmt.Errorf("alert: %w", err)
		}
		if !yield(a) {
			return false, nil
		}
	}
	return true, nil
}

func producedAt(m *streamflow.Mirrored) time.Time {
	for _, hop := range m.Hops {
		if hop.Name == streamflow.HopKafka {
			return hop.At
		}
	}
	return m.Tick.Time
}
