package functions_test

import (
	"math"
	"strings"
	"testing"

	"streamflow"
	"streamflow/functions"
)

// What the server would refuse, or nobody could tell apart, fails the step, and
// says why.
func TestStepMayNotPublish(t *testing.T) {
	for name, c := range map[string]struct {
		publish func(out *functions.Output)
		want    string
	}{
		"another's subject": {func(out *functions.Output) { out.Publish("candles.1m.A", nil) }, `begin with "results.test."`},
		"a wildcard":        {func(out *functions.Output) { out.Publish("results.test.*", nil) }, "'*' may not stand"},
		"a space":           {func(out *functions.Output) { out.View("results.test.a b", nil) }, "' ' may not stand"},
		"no token":          {func(out *functions.Output) { out.Publish("results.test.", nil) }, "the last token is empty"},
		"an empty token":    {func(out *functions.Output) { out.Publish("results.test..a", nil) }, "a token is empty"},
		"NaN":               {func(out *functions.Output) { out.PublishJSON("results.test.a", math.NaN()) }, "unsupported value: NaN"},
		"too many": {func(out *functions.Output) {
			for range functions.MaxFacts + 1 {
				out.Publish("results.test.a", nil)
			}
		}, "902 facts: one step may publish 900"},
	} {
		t.Run(name, func(t *testing.T) {
			f := functions.Func[int]{Name: "test", Step: func(s *int, _ *functions.Input, out *functions.Output) error {
				*s++
				out.PublishJSON("results.test.ok", *s)
				c.publish(out)
				return nil
			}}.Build()
			m := tick("A", 0, 0, 1, morning)
			b := functions.NewBatch(f)
			facts, err := b.Step(&m)
			if err == nil || !strings.Contains(err.Error(), c.want) || len(facts) > 0 || len(b.Keys()) > 0 {
				t.Errorf("%d facts, keys %v, %v; want an error with %q", len(facts), b.Keys(), err, c.want)
			}
		})
	}
}

// The key of what is no tick is the last token of its subject, unless the
// function says otherwise; "" leaves the message out.
func TestKeys(t *testing.T) {
	f := functions.Func[int]{Name: "test", Reads: streamflow.StreamEvents, Step: func(*int, *functions.Input, *functions.Output) error { return nil }}
	messages := []streamflow.Message{{Subject: "events.events.purchase"}, {Subject: "events.events.view"}, {Subject: "events.user-events.login"}}
	keys := func(f functions.Func[int]) string {
		b := functions.NewBatch(f.Build())
		for i := range messages {
			if _, err := b.Step(&messages[i]); err != nil {
				t.Error(err)
			}
		}
		return strings.Join(b.Keys(), " ")
	}
	if got := keys(f); got != "login purchase view" {
		t.Error(got)
	}
	f.Key = func(in *functions.Input) string {
		_, kind, _ := strings.Cut(in.Message.Subject, "events.events.")
		return kind
	}
	if got := keys(f); got != "purchase view" {
		t.Error(got)
	}
	f.Key = func(*functions.Input) string { panic("no key") }
	if _, err := functions.NewBatch(f.Build()).Step(&messages[0]); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Error(err)
	}
}

func TestWhatIsNoTick(t *testing.T) {
	b := functions.NewBatch(newTally("tally", 1))
	if _, err := b.Step(&streamflow.Message{Subject: "ticks.A", Data: []byte("{")}); err == nil {
		t.Error("it was stepped")
	}
}

func TestBuildPanics(t *testing.T) {
	for _, f := range []functions.Func[int]{{Name: "test"}, {Name: "No!", Step: func(*int, *functions.Input, *functions.Output) error { return nil }}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("function %q was built", f.Name)
				}
			}()
			f.Build()
		}()
	}
}
