package parquet

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"streamflow"
)

var at = time.Date(2025, 1, 2, 15, 4, 5, 123456000, time.FixedZone("", 3600))

// read reads all rows of a file, as anybody would: by the names of its columns.
func read[R any](t *testing.T, file []byte) []R {
	t.Helper()
	rows, err := parquet.Read[R](bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func schema(t *testing.T, file []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTicks(t *testing.T) {
	var file bytes.Buffer
	w := Ticks(&file)
	var all []streamflow.Mirrored
	for n := range 2*chunk + 3 {
		m := streamflow.Mirrored{Tick: streamflow.Tick{Symbol: "BTC/USD", Price: float64(n) + 0.25, Volume: int64(n), Time: at.Add(time.Duration(n) * time.Microsecond)}, Position: streamflow.Position{Partition: 2, Offset: int64(n)}}
		if n == 1 {
			m.Tick.Bid, m.Tick.Ask, m.Tick.ID, m.Tick.Exchange, m.Tick.Extra = 0.5, 1.5, "=1+1", "N", []byte(`"a":[1]`)
		}
		all = append(all, m)
	}
	if err := w.Write(all); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	type row struct {
		Time      time.Time `parquet:"timestamp"`
		Symbol    string    `parquet:"symbol"`
		Price     float64   `parquet:"price"`
		Volume    int64     `parquet:"volume"`
		Bid       *float64  `parquet:"bid,optional"`
		Ask       *float64  `parquet:"ask,optional"`
		ID        *string   `parquet:"id,optional"`
		Exchange  *string   `parquet:"exchange,optional"`
		Partition int32     `parquet:"partition"`
		Offset    int64     `parquet:"offset"`
		Extra     *string   `parquet:"extra,optional"`
	}
	got := read[row](t, file.Bytes())
	if len(got) != len(all) {
		t.Fatalf("%d rows of %d", len(got), len(all))
	}
	bid, ask, id, exchange, extra := 0.5, 1.5, "=1+1", "N", `{"a":[1]}`
	for n, r := range got {
		want := row{Time: all[n].Tick.Time.UTC(), Symbol: "BTC/USD", Price: float64(n) + 0.25, Volume: int64(n), Partition: 2, Offset: int64(n)}
		if n == 1 {
			want.Bid, want.Ask, want.ID, want.Exchange, want.Extra = &bid, &ask, &id, &exchange, &extra
		}
		if r.Time = r.Time.UTC(); !reflect.DeepEqual(r, want) {
			t.Fatalf("row %d is %+v, want %+v", n, r, want)
		}
	}
	f := schema(t, file.Bytes())
	if text := f.Schema().String(); !strings.Contains(text, "required int64 timestamp (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS))") ||
		!strings.Contains(text, "optional double bid;") || !strings.Contains(text, "optional binary extra (STRING)") {
		t.Error(text)
	}
	checkColumns(t, f, streamflow.TickColumns)
}

func TestCandles(t *testing.T) {
	var file bytes.Buffer
	w := Candles(&file)
	c := streamflow.Candle{Symbol: "A", Interval: streamflow.Minute1, Start: at.Truncate(time.Minute), Open: 1, High: 2, Low: 0.5, Close: 1.5, Volume: 9, Trades: 2, VWAP: 1.25, Closed: true, Amended: 1}
	if err := w.Write([]streamflow.Candle{c, {Symbol: "A", Interval: streamflow.Minute1, Start: at}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := read[candle](t, file.Bytes())
	want := candle{Symbol: "A", Interval: "1m", Start: c.Start.UnixMicro(), Open: 1, High: 2, Low: 0.5, Close: 1.5, Volume: 9, Trades: 2, VWAP: 1.25, Closed: true, Amended: 1}
	if len(got) != 2 || got[0] != want || !got[1].Filled || got[1].Closed {
		t.Errorf("%+v, want %+v and a filled one", got, want)
	}
	checkColumns(t, schema(t, file.Bytes()), streamflow.CandleColumns)
}

// The columns are those of CSV, and compressed.
func checkColumns(t *testing.T, f *parquet.File, columns string) {
	t.Helper()
	var names []string
	for _, c := range f.Schema().Columns() {
		names = append(names, strings.Join(c, "."))
	}
	if got := strings.Join(names, ","); got != columns {
		t.Errorf("the columns are %s, want %s", got, columns)
	}
	for _, c := range f.Metadata().RowGroups[0].Columns {
		if codec := c.MetaData.Codec.String(); codec != "ZSTD" {
			t.Errorf("column %v is compressed by %s", c.MetaData.PathInSchema, codec)
		}
	}
}

// An export of nothing is a file too.
func TestNoRows(t *testing.T) {
	var file bytes.Buffer
	if err := Ticks(&file).Close(); err != nil {
		t.Fatal(err)
	}
	if f := schema(t, file.Bytes()); f.NumRows() != 0 {
		t.Errorf("%d rows", f.NumRows())
	}
}

// A large file is many groups, and never in memory as a whole.
func TestMemoryIsBounded(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, most, out := heap(), int64(0), &counter{}
	w := Ticks(out)
	page := make([]streamflow.Mirrored, 5000)
	const pages = 100
	for p := range pages {
		for i := range page {
			n := p*len(page) + i
			page[i] = streamflow.Mirrored{Position: streamflow.Position{Offset: int64(n)}, Tick: streamflow.Tick{
				Symbol: "AAPL", Price: float64(n*7919%100003) / 100, Volume: int64(n * 104729 % 10007), Time: at.Add(time.Duration(n) * time.Millisecond), ID: fmt.Sprintf("%x", n*2654435761),
			}}
		}
		if err := w.Write(page); err != nil {
			t.Fatal(err)
		}
		if p%20 == 19 {
			most = max(most, heap()-before)
		}
	}
	written := out.n
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if written < out.n/2 || most > 64<<20 {
		t.Errorf("%d of %d bytes were written before the end, and %d MB were in use", written, out.n, most>>20)
	}
	t.Logf("%d rows in %d bytes, at most %d MB in use", pages*len(page), out.n, most>>20)
}

// What cannot be written is an error.
func TestFullDisk(t *testing.T) {
	w := Ticks(full{})
	err := w.Write(make([]streamflow.Mirrored, 2*groupRows))
	if err == nil {
		err = w.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("%v", err)
	}
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) { c.n += int64(len(b)); return len(b), nil }

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("no space left: %w", io.ErrShortWrite) }
