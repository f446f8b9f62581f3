package jetstream_test

import (
	"testing"

	"streamflow"
)

// What others store during a scan is not in it, and does not make it believe that nothing is delivered:
// here the last message that it asks for comes with as many behind it as there were before.
func TestScanWhileOthersWrite(t *testing.T) {
	c, _ := start(t)
	const asked = 5000 // at a time
	cur := streamflow.Start
	for cur.Next <= asked {
		cur = commit(t, c.Ticks(), cur, cur.Next, min(cur.Next+998, asked))
	}
	n := 0
	err := c.Scan(t.Context(), streamflow.StreamTicks, streamflow.SubjectAllTicks, true, func(*streamflow.Message) error {
		if n++; n == asked {
			commit(t, c.Ticks(), cur, asked+1, asked+1)
		}
		return nil
	})
	if err != nil || n != asked+1 {
		t.Fatalf("%d messages (%v), want %d", n, err, asked+1)
	}
}
