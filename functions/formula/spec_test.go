package formula

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string][]string{
		"sma(20)":                 {"sma(20)", "sma_20"},
		" SMA ( 20 ) ":            {"sma(20)", "sma_20"},
		"sma":                     {"sma(20)", "sma_20"},
		"sma()":                   {"sma(20)", "sma_20"},
		"sma(020.0)":              {"sma(20)", "sma_20"},
		"vwap":                    {"vwap", "vwap"},
		"vwap()":                  {"vwap", "vwap"},
		"macd":                    {"macd(12,26,9)", "macd_12_26_9", "macd_12_26_9.signal", "macd_12_26_9.histogram"},
		"macd(5, 35)":             {"macd(5,35,9)", "macd_5_35_9", "macd_5_35_9.signal", "macd_5_35_9.histogram"},
		"bollinger(20,2.5)":       {"bollinger(20,2.5)", "bollinger_20_2.5", "bollinger_20_2.5.upper", "bollinger_20_2.5.lower"},
		"adx(7)":                  {"adx(7)", "adx_7", "adx_7.plus", "adx_7.minus"},
		"stochastic(14,1)":        {"stochastic(14,1,3)", "stochastic_14_1_3", "stochastic_14_1_3.d"},
		"volatility(20,365,1440)": {"volatility(20,365,1440)", "volatility_20_365_1440"},
	} {
		s, err := ParseSpec(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := append([]string{s.String()}, s.Names()...); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                  `indicator "": there is no ""; there are sma, ema, wma, rsi, macd, bollinger, vwap, atr, stochastic, obv, adx, roc, volatility, trend`,
		"smma(20)":          `there is no "smma"; there are sma,`,
		"sma(20":            `indicator "sma(20": there is no ) at its end; want sma(n), such as sma(20)`,
		"sma(20) x":         `there is no ) at its end`,
		"sma(0)":            `n is "0"; want a whole number from 1 to 1000`,
		"sma(1001)":         `n is "1001"; want a whole number from 1 to 1000`,
		"sma(2.5)":          `n is "2.5"; want a whole number`,
		"sma(x)":            `n is "x"; want a whole number`,
		"sma(1e1)":          `n is "1e1"; want a whole number`,
		"sma(NaN)":          `n is "nan"; want a whole number`,
		"sma(-1)":           `n is "-1"; want a whole number`,
		"sma(,)":            `it has 2 numbers in parentheses; want sma(n), such as sma(20)`,
		"macd(12,,9)":       `slow is ""; want a whole number from 2 to 1000`,
		"macd(26,12)":       `fast is 26 and slow 12; want fast below slow`,
		"trend(26,26)":      `fast is 26 and slow 26; want fast below slow`,
		"bollinger(20,inf)": `sigmas is "inf"; want a number from 0.1 to 10`,
		"vwap(1)":           `it has 1 numbers in parentheses; want vwap`,
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestParseSpecs(t *testing.T) {
	specs, err := ParseSpecs(Defaults())
	if err != nil || specs.WarmUp() != 50 {
		t.Errorf("the defaults: warm-up %d, %v", specs.WarmUp(), err)
	}
	for i, s := range specs {
		if s.String() != Defaults()[i] {
			t.Errorf("%s is written as %s", Defaults()[i], s)
		}
	}
	for want, texts := range map[string][]string{
		"0 indicators; want 1 to 64":               {},
		"65 indicators; want 1 to 64":              slices.Repeat([]string{"sma"}, 65),
		`indicator "sma" is the same as "sma(20)"`: {"sma(20)", "ema", "sma"},
		`indicator "emma": there is no "emma"`:     {"sma(20)", "emma"},
	} {
		if _, err := ParseSpecs(texts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", texts, err, want)
		}
	}
}

func TestKinds(t *testing.T) {
	for _, k := range Kinds() {
		if k.Title == "" || k.Formula == "" || k.Seed == "" || k.Unit == "" || k.Source == "" || len(k.Parts) >= maxParts {
			t.Errorf("%s is not described", k.Name)
		}
		if s := parse(t, k.Name); s.Spec().String() != k.Default() || s.Spec().Kind().Name != k.Name {
			t.Errorf("%s: its default is %s", k.Name, k.Default())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range Defaults() {
		f.Add(s)
	}
	f.Add("sma(0x14)")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSpec(text)
		if err != nil {
			return
		}
		again, err := ParseSpec(s.String())
		if err != nil || again.String() != s.String() || !slices.Equal(again.Names(), s.Names()) {
			t.Errorf("%q is %s, and that is %v (%v)", text, s, again, err)
		}
	})
}
