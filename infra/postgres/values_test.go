package postgres

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"streamflow"
)

func TestArchiveOddValues(t *testing.T) {
	d := newDB(t)
	deep := strings.Repeat(`{"a":[`, 32) + "1" + strings.Repeat("]}", 32)
	odd := []streamflow.Tick{
		{Symbol: "BRK.B", Price: math.SmallestNonzeroFloat64, Time: time.Unix(0, 0)},
		{Symbol: "BTC/USD", Price: math.MaxFloat64, Volume: math.MaxInt64, Bid: 1e-300, Ask: 1e300},
		{Symbol: "^GSPC", Price: 0.1 + 0.2, ID: `quote " back \ slash`, Exchange: "Zürich 東京 💶"},
		{Symbol: "A", Price: 1, Time: time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)},
		{Symbol: "A", Price: 1, Extra: []byte(`"nul":"\u0000","lone":"\ud800","low":"\udc00","pair":"\ud83d\ude00","del":"` + "\x7f" + `"`)},
		{Symbol: "A", Price: 1, Extra: []byte(`"deep":` + deep + `,"a":1,"a":2, "b" : [ 1e999 , -0.0e-5, null,true ] ,"":{}`)},
		{Symbol: "A", Price: 1, Extra: []byte(`"long":"` + strings.Repeat("x", 60<<10) + `"`)},
		{Symbol: "A", Price: math.Inf(1), Bid: math.NaN(), Time: time.Date(-9000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Symbol: "A", Price: 1, Time: time.Date(400_000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{},
	}
	var ticks []streamflow.Mirrored
	for i, tick := range odd {
		ticks = append(ticks, mirror(0, int64(i), tick))
	}
	archiveAll(t, d, ticks, nil, positions{part(0): int64(len(odd))})
	for i, want := range odd {
		got, ok, err := d.At(t.Context(), ticks[i].Position)
		if err != nil || !ok {
			t.Fatalf("%d: %v, %v", i, ok, err)
		}
		if i < 7 && !sameTick(got.Tick, want) {
			t.Errorf("%d: stored %+v, want %+v", i, got.Tick, want)
		}
		if got.Position != ticks[i].Position || time.Since(got.Stored).Abs() > time.Hour {
			t.Errorf("%d: at %v, stored %v", i, got.Position, got.Stored)
		}
	}
}

func sameTick(a, b streamflow.Tick) bool {
	ea, eb := string(a.Extra), string(b.Extra)
	ta, tb := a.Time, b.Time
	a.Extra, b.Extra, a.Time, b.Time = nil, nil, time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b) && ea == eb && ta.Equal(tb.Truncate(time.Microsecond))
}

var fuzzDB *DB

// FuzzArchive: whatever DecodeTick accepts is stored and comes back as it was.
func FuzzArchive(f *testing.F) {
	for _, extra := range []string{``, `,"x":"\u0000"`, `,"id":"\ud800","y":[{"a":1E+9}]`, `,"bid":1,"ask":2,"exchange":"é"`, `,"\u0000":1`, `, "n" : -0`} {
		f.Add([]byte(`{"symbol":"A","price":1.5,"volume":1e2,"timestamp":"2025-01-02T15:04:05.123456789Z"` + extra + `}`))
	}
	d := connect(f, newURL(f))
	if _, err := d.Migrate(f.Context(), Retention{}); err != nil {
		f.Fatal(err)
	}
	fuzzDB = d
	f.Fuzz(func(t *testing.T, value []byte) {
		tick, err := streamflow.DecodeTick(value, nil, time.Now())
		if err != nil {
			return
		}
		in := streamflow.Partition{Topic: streamflow.TopicTicks}
		from, err := fuzzDB.Positions(t.Context(), "archive")
		if err != nil {
			t.Fatal(err)
		}
		offset := int64(0)
		if last, ok := from[in]; ok {
			offset = last + 1
		}
		m := mirror(0, offset, tick)
		archiveAll(t, fuzzDB, []streamflow.Mirrored{m}, from, positions{in: offset})
		got, ok, err := fuzzDB.At(t.Context(), m.Position)
		if err != nil || !ok || !sameTick(got.Tick, tick) {
			t.Fatalf("stored %+v, %v, %v, want %+v", got.Tick, ok, err, tick)
		}
	})
}
