package bridge

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

func vectorMap(vector []streamflow.Position) map[streamflow.Partition]int64 {
	m := make(map[streamflow.Partition]int64)
	for _, p := range vector {
		m[p.In()] = p.Offset
	}
	return m
}

func TestVector(t *testing.T) {
	want := map[streamflow.Partition]int64{
		{Topic: "candles.c8x1", Number: 0}: 17, {Topic: "candles.c8x1", Number: 1}: 0, {Topic: "candles.zzzz", Number: 0}: 3,
		{Topic: "candles.10000", Number: 2}: 5, {Topic: "stock_ticks", Number: 2}: 5,
	}
	text := appendVector(nil, want)
	got, ok := parseVector(string(text))
	if !ok || !maps.Equal(vectorMap(got), want) {
		t.Errorf("%s is read as %v", text, got)
	}
	if !strings.Contains(string(text), "candles.10000/2/5 candles.zzzz/0/3 candles.c8x1/0/17 candles.c8x1/1/0") {
		t.Errorf("%s: want the newest first", text)
	}
	many := make(map[streamflow.Partition]int64)
	for i := range 3 * maxVector {
		many[streamflow.Partition{Topic: fmt.Sprintf("candles.%05d", i)}] = int64(i)
	}
	got, ok = parseVector(string(appendVector(nil, many)))
	if !ok || len(got) != maxVector || got[maxVector-1].Offset != 2*maxVector {
		t.Errorf("%d entries, the oldest %v", len(got), got[len(got)-1])
	}
	text = appendVector(nil, map[streamflow.Partition]int64{{Topic: "a"}: -1})
	if _, ok := parseVector(string(text)); ok || len(text) > 0 {
		t.Errorf("nothing is written as %q", text)
	}
}

// Only a vector that we wrote counts: a refused record may bring one along.
func TestVectorOfOthers(t *testing.T) {
	forged := kgo.RecordHeader{Key: streamflow.HeaderPositions, Value: []byte("ticks/0/99")}
	ours := kgo.RecordHeader{Key: streamflow.HeaderPositions, Value: []byte("ticks/0/7")}
	own := kgo.RecordHeader{Key: streamflow.HeaderPosition, Value: []byte("ticks/0/7")}
	if v, ok := vectorOf(&kgo.Record{Headers: []kgo.RecordHeader{forged, own}}); ok {
		t.Errorf("%v was taken", v)
	}
	if v, ok := vectorOf(&kgo.Record{Headers: []kgo.RecordHeader{forged, own, ours}}); !ok || v[0].Offset != 7 {
		t.Errorf("%v, want ours", v)
	}
	if _, ok := vectorOf(&kgo.Record{}); ok {
		t.Error("none was taken")
	}
}

func FuzzVector(f *testing.F) {
	for _, seed := range []string{"", "a/0/1", "candles.c8x1/0/17 candles.c8x1/1/4", "a/0/1  b/0/1", "a/0/-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		vector, ok := parseVector(s)
		if !ok || len(vector) > maxVector {
			return
		}
		want := vectorMap(vector)
		again, ok := parseVector(string(appendVector(nil, want)))
		if !ok || !maps.Equal(vectorMap(again), want) {
			t.Fatalf("%q is %v, and then %v", s, vector, again)
		}
	})
}
