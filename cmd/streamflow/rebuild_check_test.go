//go:build unix

package main

import (
	"strings"
	"testing"

	"streamflow"
)

// A topic that ends before what the database has stored of it is another one, or
// has lost its tail. Streams made anew of it would hide that from the bridge, and
// archive and functions would leave out its ticks without a word.
func TestRebuildRefusesAnotherHistory(t *testing.T) {
	w := newWorld(t)
	w.servers()
	created := func() string {
		s, err := w.jetstream().Stream(t.Context(), streamflow.StreamTicks)
		if err != nil {
			t.Fatal(err)
		}
		return s.CachedInfo().Created.String()
	}
	before := created()
	w.execute(`INSERT INTO positions (function, topic, partition, kafka_offset) VALUES ('archive', 'stock_ticks', 1, 860)`)
	out, code := w.run("rebuild", "--yes")
	if code == 0 || !strings.Contains(out, "stock_ticks/1 ends at offset 0") || !strings.Contains(out, "up to 860") {
		t.Errorf("rebuild exits %d:\n%s\nwant it to refuse the topic", code, out)
	}
	if now := created(); now != before {
		t.Errorf("stream TICKS was made anew at %s", now)
	}
	w.execute(`DELETE FROM positions`)
	if out, code := w.run("rebuild", "--yes"); code != 0 {
		t.Errorf("rebuild of a topic without a history exits %d:\n%s", code, out)
	}
	if now := created(); now == before {
		t.Error("stream TICKS was not made anew")
	}
}
