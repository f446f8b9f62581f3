package formula

import (
	"fmt"
	"strconv"
	"strings"
)

// maxParts is how many values an indicator yields at most.
const maxParts = 3

// maxLength is how many bars a window may hold.
const maxLength = 1000

// Kind describes a formula for people and for forms.
type Kind struct {
	Name    string
	Title   string
	Formula string
	Seed    string
	Unit    string
	Source  string
	Params  []Param
	Parts   []string // of the values besides the main one

	main   string // what the main value is, if that is not plain
	warm   func(p []float64) []int
	warmup string
	check  func(p []float64) error
	make   func(p []float64) formula
}

// Param is one number in the parentheses of a spec.
type Param struct {
	Name     string
	Default  float64
	Min, Max float64
	Whole    bool
}

// length is a parameter that counts bars.
func length(name string, def, min int) Param {
	return Param{Name: name, Default: float64(def), Min: float64(min), Max: maxLength, Whole: true}
}

// kinds are all formulas, in the order of the documentation.
var kinds = []*Kind{
	&smaKind, &emaKind, &wmaKind, &rsiKind, &macdKind, &bollingerKind, &vwapKind, &atrKind,
	&stochasticKind, &obvKind, &adxKind, &rocKind, &volatilityKind, &trendKind,
}

// Kinds returns all formulas.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = *k
	}
	return all
}

// Spec is an indicator's text, read and checked: what indicators of the same
// kind and parameters share.
type Spec struct {
	kind   *Kind
	params []float64
	text   string
	names  []string
}

// ParseSpec reads the text of an indicator: a name, and numbers in parentheses.
// Numbers that are left out at the end have their defaults.
func ParseSpec(text string) (*Spec, error) {
	name, inside, open := strings.Cut(strings.ToLower(strings.TrimSpace(text)), "(")
	kind, err := find(strings.TrimSpace(name))
	if err != nil {
		return nil, fmt.Errorf("indicator %.60q: %w", text, err)
	}
	var numbers []string
	if open {
		inside, ok := strings.CutSuffix(strings.TrimSpace(inside), ")")
		if !ok {
			return nil, fmt.Errorf("indicator %.60q: there is no ) at its end; want %s", text, kind.usage())
		}
		if strings.TrimSpace(inside) != "" {
			numbers = strings.Split(inside, ",")
		}
	}
	params, err := kind.read(numbers)
	if err != nil {
		return nil, fmt.Errorf("indicator %.60q: %w", text, err)
	}
	return kind.spec(params), nil
}

// find returns the kind of a name; the error lists them.
func find(name string) (*Kind, error) {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		if k.Name == name {
			return k, nil
		}
		names[i] = k.Name
	}
	return nil, fmt.Errorf("there is no %.40q; there are %s", name, strings.Join(names, ", "))
}

// read checks the numbers of a spec.
func (k *Kind) read(numbers []string) ([]float64, error) {
	if len(numbers) > len(k.Params) {
		return nil, fmt.Errorf("it has %d numbers in parentheses; want %s", len(numbers), k.usage())
	}
	params := make([]float64, len(k.Params))
	for i, p := range k.Params {
		params[i] = p.Default
		if i >= len(numbers) {
			continue
		}
		text := strings.TrimSpace(numbers[i])
		v, err := strconv.ParseFloat(text, 64)
		// Plain digits only: ParseFloat also knows 1e3, 0x1p4, 1_000 and inf.
		if err != nil || strings.Trim(text, "0123456789.") != "" || !(v >= p.Min && v <= p.Max) || p.Whole && v != float64(int(v)) {
			what := "a number"
			if p.Whole {
				what = "a whole number"
			}
			return nil, fmt.Errorf("%s is %.20q; want %s from %s to %s", p.Name, text, what, number(p.Min), number(p.Max))
		}
		params[i] = v
	}
	if k.check != nil {
		return params, k.check(params)
	}
	return params, nil
}

// usage is "macd(fast,slow,signal), such as macd(12,26,9)".
func (k *Kind) usage() string {
	if len(k.Params) == 0 {
		return k.Name
	}
	var names []string
	for _, p := range k.Params {
		names = append(names, p.Name)
	}
	return k.Name + "(" + strings.Join(names, ",") + "), such as " + k.Default()
}

// Default returns the text of the indicator with its default parameters.
func (k *Kind) Default() string {
	params, _ := k.read(nil) // defaults are within their bounds, as a test shows
	return k.spec(params).text
}

func (k *Kind) spec(params []float64) *Spec {
	s := &Spec{kind: k, params: params, text: k.Name}
	name := k.Name
	if len(params) > 0 {
		var numbers []string
		for _, p := range params {
			numbers = append(numbers, number(p))
		}
		s.text += "(" + strings.Join(numbers, ",") + ")"
		name += "_" + strings.Join(numbers, "_")
	}
	s.names = append(s.names, name)
	for _, part := range k.Parts {
		s.names = append(s.names, name+"."+part)
	}
	return s
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// String returns the spec with all its parameters: "macd(12,26,9)".
func (s *Spec) String() string { return s.text }

// Kind returns what it is a kind of.
func (s *Spec) Kind() Kind { return *s.kind }

// Names returns the names of its values, the main one first. They must not be
// changed.
func (s *Spec) Names() []string { return s.names }

// WarmUp returns how many bars it takes until all its values are there.
func (s *Spec) WarmUp() int {
	longest := 0
	for _, n := range s.kind.warm(s.params) {
		longest = max(longest, n)
	}
	return longest
}

// New returns the indicator before its first bar.
func (s *Spec) New() *Indicator { return &Indicator{spec: s, formula: s.kind.make(s.params)} }
