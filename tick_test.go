package streamflow

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestValidSymbol(t *testing.T) {
	for _, s := range []string{"A", "aapl", "BRK.B", "BTC/USD", "^GSPC", "ES=F", "7203.T", "A-B_C:D+E&F#1", strings.Repeat("A", MaxSymbolBytes)} {
		if !ValidSymbol(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", ".A", "-A", "/A", "A B", "A*", ">", "A\x00", "Ä", "A\u00a0", "A,B", "$A", strings.Repeat("A", MaxSymbolBytes+1)} {
		if ValidSymbol(s) {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	tick := Tick{Symbol: "BRK.B", Price: 412.5, Volume: 7, Time: noon, ID: `a"\`, Exchange: "XNYS", Bid: 412.49, Ask: 412.51, Extra: []byte(`"x":1`)}
	const want = `{"symbol":"BRK.B","price":412.5,"volume":7,"timestamp":"2025-01-02T12:00:00Z",` +
		`"id":"a\"\\","exchange":"XNYS","bid":412.49,"ask":412.51,"x":1}`
	got, err := json.Marshal(tick)
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestAppendNumber(t *testing.T) {
	for _, f := range []float64{
		1, 0.01, 0.1, 0.5, 0.99, 1.1, 1.01, 1.005, 187.23, 100, 1e6, 1e11, 999999999999.99, 1e12, 1e12 + 0.25, 1e20, 1e21, 1e-6, 1e-7,
		5e-324, math.MaxFloat64, math.SmallestNonzeroFloat64, 0, -1.25, 0.1 + 0.2, math.Nextafter(187.23, 188), math.Nextafter(187.23, 0), math.Pi,
	} {
		checkNumber(t, f)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		cents := random.Int64N(1 << random.IntN(48))
		f := float64(cents) / 100
		checkNumber(t, f)
		checkNumber(t, math.Nextafter(f, math.Inf(1)))
		checkNumber(t, math.Nextafter(f, math.Inf(-1)))
		checkNumber(t, float64(cents)/1000)
		checkNumber(t, random.Float64()*1e6)
		if f := math.Float64frombits(random.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			checkNumber(t, f)
		}
	}
}

// checkNumber holds appendNumber against the shortest form that strconv finds.
func checkNumber(t *testing.T, f float64) {
	t.Helper()
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	want := strconv.FormatFloat(f, format, -1, 64)
	if got := string(appendNumber(nil, f)); got != want {
		t.Fatalf("%b: got %s, want %s", f, got, want)
	}
}

func BenchmarkAppendNumber(b *testing.B) {
	buf := make([]byte, 0, 32)
	b.Run("cents", func(b *testing.B) {
		for b.Loop() {
			buf = appendNumber(buf[:0], 187.23)
		}
	})
	b.Run("strconv", func(b *testing.B) {
		for b.Loop() {
			buf = strconv.AppendFloat(buf[:0], 187.23, 'f', -1, 64)
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	tick, err := DecodeTick(benchTick, nil, noon)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = tick.AppendJSON(buf[:0])
	}
}
