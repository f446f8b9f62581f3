package jetstream_test

import (
	"errors"
	"testing"

	"streamflow"
)

// TestRange reads what lies between two sequences, without the cursors there.
func TestRange(t *testing.T) {
	c, _ := start(t)
	if first, last, err := c.Bounds(t.Context(), streamflow.StreamTicks); err != nil || first != last+1 {
		t.Fatalf("bounds of the empty stream: %d, %d, %v", first, last, err)
	}
	m := c.Ticks()
	cur := commit(t, m, streamflow.Start, 0, 299)
	commit(t, m, cur, 300, 599)
	first, last, err := c.Bounds(t.Context(), streamflow.StreamTicks)
	if err != nil || last-first < 599 {
		t.Fatalf("bounds: %d, %d, %v", first, last, err)
	}
	for _, x := range []struct {
		filter      string
		after, upTo uint64
	}{
		{"ticks.AAPL", first - 1, last}, {"ticks.>", first + 100, first + 200}, {"ticks.>", first + 290, first + 310}, {"ticks.MSFT", first - 1, last},
		{"ticks.>", last, last + 10}, {"ticks.>", last - 1, last},
	} {
		next, got := x.after, 0
		err := c.Range(t.Context(), streamflow.StreamTicks, x.filter, x.after, x.upTo, func(batch []streamflow.Message) error {
			for _, m := range batch {
				if m.Sequence <= next || m.Sequence > x.upTo || m.Subject != "ticks.AAPL" {
					t.Errorf("%+v: got %s %d behind %d", x, m.Subject, m.Sequence, next)
				}
				next = m.Sequence
				got++
			}
			return nil
		})
		if n := int(min(x.upTo, last) - x.after); err != nil || x.filter != "ticks.MSFT" && (got > n || got < n-2) || x.filter == "ticks.MSFT" && got != 0 {
			t.Errorf("%+v: %d messages, %v", x, got, err)
		}
	}
	full := errors.New("full")
	if err := c.Range(t.Context(), streamflow.StreamTicks, "ticks.>", 0, last, func([]streamflow.Message) error { return full }); !errors.Is(err, full) {
		t.Errorf("fn failed, and Range says %v", err)
	}
}
