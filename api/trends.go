package api

import (
	"bytes"
	"sync"
	"time"

	"streamflow"
)

// trends is where prices go, by their 1m candles. It sees what the websocket
// sees, see [trends.Seed] and [trends.Apply].
type trends struct {
	mu       sync.Mutex
	bySymbol map[string]trend
}

type trend struct {
	at time.Time // start of its candle
	to streamflow.Trend
}

func newTrends() *trends { return &trends{bySymbol: make(map[string]trend)} }

// of returns the trend of a symbol, "" while it is not known: the newest
// message of a symbol is mostly of another interval, so after a start it takes
// until the next candle is closed.
func (t *trends) of(symbol string) streamflow.Trend {
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bySymbol[symbol].to
}

// Seed takes the newest message of every subject of a stream.
func (t *trends) Seed(stream string, newest []streamflow.Message) { t.Apply(stream, newest) }

// Apply takes messages as they come. They are lent.
func (t *trends) Apply(stream string, batch []streamflow.Message) {
	if stream != streamflow.StreamIndicators {
		return
	}
	for i := range batch {
		data := batch[i].Data
		// Most are of single ticks: they are not worth reading.
		if !bytes.Contains(data, []byte(`,"interval":"`+string(streamflow.Minute1)+`",`)) {
			continue
		}
		var x streamflow.Indicators
		if x.UnmarshalJSON(data) != nil || x.Interval != streamflow.Minute1 {
			continue
		}
		t.mu.Lock()
		if !x.Time.Before(t.bySymbol[x.Symbol].at) { // else a late tick has corrected the past
			t.bySymbol[x.Symbol] = trend{x.Time, x.Trend}
		}
		t.mu.Unlock()
	}
}
