package indicators

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/candles"
	"streamflow/functions/formula"
	"streamflow/functions/window"
)

// Params are the settings of the function. The zero value means the defaults.
type Params struct {
	// Intervals are those of the candles, and "tick"; none is all of them.
	Intervals []streamflow.Interval `json:"intervals,omitempty"`
	// Indicators are specs such as "macd(12,26,9)"; none is [formula.Defaults].
	Indicators []string `json:"indicators,omitempty"`
	// Delay, Lateness and Grace are those of the candles, see [candles.Params].
	Delay    string `json:"delay,omitempty"`
	Lateness string `json:"lateness,omitempty"`
	Grace    string `json:"grace,omitempty"`
}

// ParseParams reads and checks params; nil are the defaults. The error names the
// field that is wrong.
func ParseParams(data json.RawMessage) (Params, error) {
	p, err := functions.DecodeParams[Params](streamflow.FunctionIndicators, data)
	if err == nil {
		_, err = p.plan()
	}
	return p, err
}

// plan is what the states of all symbols share.
type plan struct {
	specs     formula.Specs
	ticks     bool                  // whether there are indicators on ticks
	intervals []streamflow.Interval // of candles, the shortest first
	candles   *candles.Plan
	work      sync.Pool // of *work
}

// plan checks p and makes it ready to use.
func (p Params) plan() (*plan, error) {
	texts := p.Indicators
	if len(texts) == 0 {
		texts = formula.Defaults()
	}
	specs, err := formula.ParseSpecs(texts)
	if err != nil {
		return nil, fmt.Errorf("params of indicators: indicators: %w", err)
	}
	asked := p.Intervals
	if len(asked) == 0 {
		asked = append([]streamflow.Interval{streamflow.IntervalTick}, streamflow.Intervals...)
	}
	r := &plan{specs: specs, ticks: slices.Contains(asked, streamflow.IntervalTick)}
	for _, i := range asked {
		if i != streamflow.IntervalTick && i.Duration() == 0 {
			return nil, fmt.Errorf("params of indicators: intervals: %.20q: want some of %s and %v", i, streamflow.IntervalTick, streamflow.Intervals)
		}
	}
	for _, i := range streamflow.Intervals {
		if slices.Contains(asked, i) {
			r.intervals = append(r.intervals, i)
		}
	}
	made := r.intervals
	if len(made) == 0 { // the builder still judges which ticks are late
		made = []streamflow.Interval{streamflow.Day1}
	}
	settings := candles.Params{Intervals: made, Delay: p.Delay, Lateness: p.Lateness, Grace: p.Grace}
	if r.candles, err = settings.Plan(); err != nil {
		return nil, fmt.Errorf("params of indicators: %w", err)
	}
	r.work.New = func() any { return &work{old: r.specs.New(), anew: r.specs.New()} }
	return r, p.bound(r.intervals)
}

// bound refuses a lateness that could make one tick correct more results than
// one step may publish. The candles that it can correct lie between the floor
// and the farthest tick that is let in.
func (p Params) bound(intervals []streamflow.Interval) error {
	lateness, delay := window.Default.Lateness, window.Default.Delay
	if p.Lateness != "" {
		lateness, _ = time.ParseDuration(p.Lateness) // candles.Params has checked it
	}
	if p.Delay != "" {
		delay, _ = time.ParseDuration(p.Delay)
	}
	most := int64(0)
	for _, i := range intervals {
		most += int64((lateness+delay+window.Default.Ahead)/i.Duration()) + 2
	}
	if most > functions.MaxFacts {
		return fmt.Errorf("params of indicators: lateness %s: with candles of %s one tick could correct %d results, the limit is %d: want a shorter one, or leave out the short intervals",
			lateness, intervals[0], most, functions.MaxFacts)
	}
	return nil
}

// version names what a state cannot be read without.
func (p *plan) version() string {
	var b strings.Builder
	b.WriteString("1:")
	if p.ticks {
		b.WriteString(string(streamflow.IntervalTick) + ",")
	}
	for _, i := range p.intervals {
		b.WriteString(string(i) + ",")
	}
	for _, s := range p.specs {
		b.WriteString(";" + s.String())
	}
	return b.String()
}
