package formula

import (
	"math"
	"testing"
	"time"

	"streamflow"
)

// The daily quotes and the values that spreadsheets have computed from them, by
// cell formulas, in the tests of github.com/DaveSkender/Stock.Indicators at
// d5c6660 (tests/indicators/*/*.Calc.xlsx: Sma, Ema, Rsi, Macd, BollingerBands,
// Atr, Stoch, Obv, Adx, Roc; Apache License 2.0): the first 60 of 502 rows.
//
// High, low, close, volume.
var quotes = [...][4]float64{
	{213.35, 211.52, 212.8, 96708880}, {214.22, 213.15, 214.06, 83348752}, {214.06, 213.02, 213.89, 82961968},
	{215.17, 213.42, 214.66, 75744152}, {214.53, 213.91, 213.95, 49684316}, {214.89, 213.52, 213.95, 67500792},
	{214.55, 213.13, 214.55, 79014928}, {214.22, 212.53, 214.02, 76329760}, {214.84, 214.17, 214.51, 66385084},
	{214.25, 213.33, 213.75, 64821664}, {214.27, 213.42, 214.22, 57997156}, {214.46, 212.96, 213.43, 70503512},
	{214.75, 213.49, 214.21, 136721344}, {214.28, 212.83, 213.66, 79450624}, {215.48, 213.77, 215.03, 101142584},
	{216.89, 215.89, 216.89, 89374928}, {217.02, 216.36, 216.66, 63477304}, {216.91, 216.12, 216.32, 63202528},
	{215.59, 213.9, 214.98, 84399624}, {215.03, 213.82, 214.96, 80317680}, {215.96, 214.4, 215.05, 83743792},
	{215.5, 214.29, 215.19, 73730552}, {216.87, 215.84, 216.67, 85273832}, {216.66, 215.92, 216.28, 61169192},
	{216.97, 216.09, 216.29, 61318484}, {216.72, 215.7, 216.58, 54581376}, {218.19, 216.84, 217.86, 69811760},
	{218.97, 217.88, 218.72, 69875952}, {220.19, 219.23, 219.91, 58408632}, {220.8, 219.33, 220.79, 75266840},
	{222.15, 220.5, 221.94, 91860344}, {222.16, 220.93, 221.75, 89676304}, {222.1, 221.01, 222.1, 81718352},
	{223.62, 222.5, 223.43, 94146880}, {223.47, 222.8, 223.23, 65747160}, {223.81, 222.55, 223.38, 78978816},
	{223.71, 222.41, 223.66, 87198608}, {224.2, 223.29, 224.01, 59819992}, {223.86, 222.98, 223.41, 102631472},
	{227.04, 225.2, 226.53, 157879712}, {226.34, 225.05, 225.11, 74353376}, {225.43, 224.6, 225.25, 86767480},
	{224.97, 223.92, 224.58, 58630368}, {224.64, 223.68, 223.91, 68910464}, {224.51, 223.34, 223.49, 82739456},
	{224.13, 222.72, 223.78, 95986360}, {224.87, 223.52, 224.56, 86785840}, {224.72, 224.13, 224.67, 60604724},
	{224.13, 223.14, 223.81, 63382108}, {226.21, 224.18, 225.75, 101699816}, {225.99, 224.95, 225.31, 82924856},
	{225.8, 224.91, 224.91, 93798120}, {225.22, 224.24, 224.66, 55368008}, {225.46, 221.64, 221.78, 138912016},
	{222.61, 221.13, 222.3, 102826864}, {223.31, 221.66, 222.06, 105821032}, {223.02, 221.05, 221.9, 118567344},
	{221.96, 219.77, 221.67, 92167056}, {223.75, 221.22, 223.29, 98521432}, {223.75, 222.72, 223.5, 65288636},
}

// By indicator and row, from 0: all values, in the order of their parts.
var sheets = map[string]map[int][]float64{
	"sma(20)": {
		19: {214.52499999999995},
		20: {214.6375},
		39: {220.339},
		59: {223.8145},
	},
	"ema(20)": {
		19: {214.52499999999995},
		20: {214.57499999999996},
		39: {221.07573516666767},
		59: {223.06594546757094},
	},
	"rsi(14)": {
		14: {62.054054054053964},
		15: {68.80853100006823},
		39: {82.82478120770185},
		59: {54.39289319278106},
	},
	"macd(12,26,9)": {
		25: {0.880896365451747, none, none},
		33: {2.202501461364193, 1.521700603479164, 0.6808008578850289},
		34: {2.3018649602173014, 1.6777334748267916, 0.6241314853905098},
		59: {0.38449341739644183, 0.8008667943511982, -0.4163733769547564},
	},
	"bollinger(20,2)": {
		19: {214.52499999999995, 216.58874901574774, 212.46125098425216},
		20: {214.6375, 216.55281590083723, 212.72218409916275},
		39: {220.339, 227.13872322966162, 213.53927677033838},
		59: {223.8145, 226.33542423527564, 221.29357576472438},
	},
	"atr(14)": {
		14: {1.336428571428568},
		15: {1.3738265306122408},
		39: {1.4105784602362443},
		59: {1.596528777656539},
	},
	"stochastic(14,3,3)": {
		15: {81.1252998993887, none},
		17: {92.13066072754248, 88.49953635785782},
		39: {94.49019607843145, 95.63384992303541},
		59: {47.36024844720472, 34.11090718479853},
	},
	"obv": {
		1:  {83348752.0},
		2:  {386784.0},
		39: {938969744.0},
		59: {601876692.0},
	},
	"adx(14)": {
		14: {none, 21.966862640299283, 18.546231961517645},
		27: {15.945852232273458, 33.70084321980573, 16.73992750151572},
		28: {17.805285203974936, 37.666512917851975, 15.393166436693168},
		59: {25.078233420559286, 24.47205937944943, 25.0390345255838},
	},
	"roc(20)": {
		20: {1.0573308270676691},
		21: {0.527889376810238},
		39: {5.382396724972084},
		59: {-1.3375711826248184},
	},
}

func quote(i int) Bar {
	q := quotes[i]
	return Bar{
		At: time.Date(2017, 1, 3, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i).UnixMicro(), Span: 24 * time.Hour,
		High: q[0], Low: q[1], Close: q[2], VWAP: (q[0] + q[1] + q[2]) / 3, Volume: int64(q[3]),
	}
}

func TestSpreadsheets(t *testing.T) {
	for spec, rows := range sheets {
		indicator := parse(t, spec)
		for i := range quotes {
			indicator.Push(quote(i))
			if want, ok := rows[i]; ok {
				compare(t, indicator, i, 1e-9, want...)
			}
		}
	}
}

// The same project's Wma.Calc.xlsx: closes of rows 482 to 501, and WMA(20) of row 501.
func TestSpreadsheetWMA(t *testing.T) {
	closes := []float64{
		268.96, 272.52, 263.69, 263.29, 257.17, 257.66, 257.72, 259.01, 258.93, 254.15,
		249.16, 248.89, 245.16, 241.17, 236.23, 229.99, 241.61, 243.46, 243.15, 245.28,
	}
	series(t, "wma(20)", closes, 19, 1e-9, 246.51104761904764)
}

// The same project's Vwap.Calc.xlsx: minutes of one session; price is (high+low+close)/3.
func TestSpreadsheetVWAP(t *testing.T) {
	indicator := parse(t, "vwap")
	for i, m := range []struct {
		high, low, close float64
		volume           int64
		want             float64
	}{
		{367.62, 367.36, 367.46, 407870, 367.47999999999996},
		{367.48, 367.19, 367.19, 173406, 367.42232488525241},
		{367.4, 367.02, 367.35, 149240, 367.38848191324121},
		{367.64, 367.345, 367.59, 197941, 367.41758668234854},
		{367.61, 367.32, 367.43, 147919, 367.42249910037629},
	} {
		indicator.Push(Bar{At: int64(i) * 60e6, Span: time.Minute, High: m.high, Low: m.low, Close: m.close, VWAP: (m.high + m.low + m.close) / 3, Volume: m.volume})
		compare(t, indicator, i, 1e-9, m.want)
	}
}

func parse(t testing.TB, spec string) *Indicator {
	t.Helper()
	i, err := Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// compare wants all values of an indicator, none for those that are not there.
func compare(t *testing.T, indicator *Indicator, row int, within float64, want ...float64) {
	t.Helper()
	var there []streamflow.Value
	for part, v := range want {
		if !math.IsNaN(v) {
			there = append(there, streamflow.Value{Name: indicator.Spec().Names()[part], Value: v})
		}
	}
	got := indicator.Values(nil)
	if len(got) != len(there) {
		t.Fatalf("%s, row %d: %v, want %v", indicator.Spec(), row, got, there)
	}
	for i := range got {
		if got[i].Name != there[i].Name || math.Abs(got[i].Value-there[i].Value) > within {
			t.Errorf("%s, row %d: %v, want %v within %g", indicator.Spec(), row, got[i], there[i], within)
		}
	}
}

// series wants the main values from row first on, of daily closes.
func series(t *testing.T, spec string, closes []float64, first int, within float64, want ...float64) {
	t.Helper()
	indicator := parse(t, spec)
	for i, price := range closes {
		indicator.Push(Bar{At: int64(i) * microsADay, Span: 24 * time.Hour, High: price, Low: price, Close: price, VWAP: price})
		got, ok := indicator.Value(0)
		switch {
		case ok != (i >= first):
			t.Fatalf("%s, row %d: there is a value: %v", spec, i, ok)
		case ok && i-first < len(want) && math.Abs(got-want[i-first]) > within:
			t.Errorf("%s, row %d: %v, want %v within %g", spec, i, got, want[i-first], within)
		}
	}
}
