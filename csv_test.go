package streamflow

import (
	"encoding/csv"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCSV(t *testing.T) {
	at := time.Date(2025, 1, 2, 15, 4, 5, 123456000, time.FixedZone("", 3600))
	tick := Mirrored{
		Tick:     Tick{Symbol: "BRK.B", Price: 1e-7, Volume: 3, Time: at, ID: "=1+1", Exchange: ` X,"Y"`, Bid: 0.5, Extra: []byte(`"a":[1,"b"]`)},
		Position: Position{Topic: "t", Partition: 2, Offset: 7},
	}
	candle := Candle{Symbol: "A", Interval: Minute1, Start: at.Truncate(time.Minute), Open: 1, High: 2e9, Low: 0.5, Close: 1.5, Volume: 9, Trades: 2, VWAP: 1.25, Closed: true, Amended: 1}
	filled := Candle{Symbol: "A", Interval: Day1, Start: at.Truncate(24 * time.Hour), Open: 1, High: 1, Low: 1, Close: 1, VWAP: 1}
	for _, c := range []struct{ text, want string }{
		{TickColumns + "\r\n" + string(tick.AppendCSV(nil)),
			`2025-01-02T14:04:05.123456Z|BRK.B|0.0000001|3|0.5||'=1+1| X,"Y"|2|7|{"a":[1,"b"]}`},
		{CandleColumns + "\r\n" + string(candle.AppendCSV(nil)), `A|1m|2025-01-02T14:04:00Z|1|2000000000|0.5|1.5|9|2|1.25|true|1|false`},
		{CandleColumns + "\r\n" + string(filled.AppendCSV(nil)), `A|1d|2025-01-02T00:00:00Z|1|1|1|1|0|0|1|false|0|true`},
	} {
		rows, err := csv.NewReader(strings.NewReader(c.text)).ReadAll()
		if err != nil || len(rows) != 2 || !reflect.DeepEqual(rows[1], strings.Split(c.want, "|")) {
			t.Errorf("%q, %v, want %s", rows, err, c.want)
		}
	}
}

func TestCells(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "": "", "a,b": `"a,b"`, `say "x"`: `"say ""x"""`, "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a",
		"\t=1": "\"'\t=1\"", " =1": `"' =1"`, "\r=1": "\"'\r=1\"", "a=1": "a=1", "＝1": "'＝1", "{\"a\":1}": `"{""a"":1}"`,
	} {
		if got := string(appendCell(nil, text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// No cell is a formula, and every text comes back as what it was.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"", "NASDAQ", "=1+1", "'=1+1", "''@x", " +1", "\ufeff-1", "'", "' ", "a'=1", "\r\nx", `"`, "＝1", "'plain"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rows, err := csv.NewReader(strings.NewReader("x," + string(appendCell(nil, s)) + ",y\r\n")).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 3 {
			t.Fatalf("%q: %q, %v", s, rows, err)
		}
		cell := rows[0][1]
		if first := strings.TrimLeft(cell, " \u00a0\ufeff"); first != "" && strings.ContainsAny(first[:1], "=+-@\t\r\n") {
			t.Errorf("cell %q of %q is a formula", cell, s)
		}
		// The reader makes one line end of another.
		if got, want := CellText(cell), strings.ReplaceAll(s, "\r\n", "\n"); got != want {
			t.Errorf("%q came back as %q", want, got)
		}
	})
}
