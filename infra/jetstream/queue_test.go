package jetstream_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/jetstream"
)

// raise publishes alerts n to upTo.
func raise(t *testing.T, c *jetstream.Client, n, upTo int64) {
	t.Helper()
	l := c.Ledger(streamflow.StreamAlerts, streamflow.FunctionAlerts, 1, 0)
	_, fence, err := l.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := facts(n, upTo+1)
	for i := range list {
		list[i].Subject, list[i].Position.Topic = streamflow.AlertSubject("AAPL"), "alerts.e"
	}
	if _, err := l.Commit(t.Context(), list, []byte("page"), fence); err != nil {
		t.Fatal(err)
	}
}

func take(t *testing.T, q *jetstream.Queue) (streamflow.Message, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	m, delivered, err := q.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m, delivered
}

// A webhook is told what is raised from the day on that it is there, and one
// alert that it cannot take does not hold up the next.
func TestQueueDeliversEachOnItsOwn(t *testing.T) {
	c, url := start(t)
	ctx := t.Context()
	raise(t, c, 0, 4) // before there was a webhook
	q := c.Queue(streamflow.StreamAlerts, streamflow.SubjectAllAlerts, "notify-ops")
	defer q.Close()
	for made := false; !made; {
		nothing, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		if m, _, err := q.Next(nothing); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%+v, %v comes from before", m, err)
		}
		cancel()
		_, _, err := q.Pending(ctx)
		made = err == nil
	}
	raise(t, c, 5, 8)
	first, delivered := take(t, q)
	if first.Position.Offset != 5 || delivered != 1 || first.Cause.Topic == "" {
		t.Fatalf("%+v comes for the %d. time", first, delivered)
	}
	delay, times, asked := 75*time.Millisecond, 1, time.Time{}
	setAside := func() {
		t.Helper()
		delay, asked = 4*delay, time.Now()
		if err := q.NakWithDelay(first.Sequence, delay); err != nil {
			t.Fatal(err)
		}
	}
	besides := func() streamflow.Message {
		t.Helper()
		for {
			m, n := take(t, q)
			if m.Sequence != first.Sequence {
				return m
			}
			if time.Since(asked) < delay {
				t.Fatalf("%d comes again after %s, want %s", m.Position.Offset, time.Since(asked), delay)
			}
			times = n // the machine was busy for longer than the delay
			setAside()
		}
	}
	setAside()
	for want := int64(6); want <= 7; want++ {
		m := besides()
		if m.Position.Offset != want {
			t.Fatalf("%d comes, want %d", m.Position.Offset, want)
		}
		if err := q.Ack(m.Sequence); err != nil {
			t.Fatal(err)
		}
	}
	last := besides()
	if err := q.Term(last.Sequence, "given up"); err != nil {
		t.Fatal(err)
	}
	if err := q.Ack(last.Sequence); err == nil {
		t.Error("a message is settled twice")
	}
	again, delivered := take(t, q)
	if again.Sequence != first.Sequence || delivered != times+1 || time.Since(asked) < delay {
		t.Fatalf("%+v comes for the %d. time after %s", again, delivered, time.Since(asked))
	}
	q.Close() // the worker stops, and another one goes on
	other := connect(t, url).Queue(streamflow.StreamAlerts, streamflow.SubjectAllAlerts, "notify-ops")
	defer other.Close()
	if _, unacked, err := other.Pending(ctx); err != nil || unacked != 1 {
		t.Errorf("%d are not acknowledged, %v, want 1", unacked, err)
	}
	raise(t, c, 9, 9)
	if m, _ := take(t, other); m.Position.Offset != 9 {
		t.Errorf("the other worker is given %d, want 9", m.Position.Offset)
	}
}
