package api

import (
	"strings"
	"testing"
)

// TestRepeatedParameters: what would be left out in silence is refused, and
// lists that are written so are not.
func TestRepeatedParameters(t *testing.T) {
	g := newRig(t, nil)
	for path, want := range map[string]string{
		"/api/compare?symbols=AAPL&symbols=MSFT":      `"location":"query.symbols"`,
		"/api/stocks/AAPL/ticks?limit=1&limit=5":      `"location":"query.limit"`,
		"/api/stocks/AAPL/ticks?from=&from=":          `"location":"query.from"`,
		"/api/stocks/AAPL/ticks?from=yesterday":       `no time: want one such as 2025-01-02T15:04:05Z`,
		"/api/stocks/AAPL/candles?to=2025-01-02 10pm": `no time: want one such as 2025-01-02T15:04:05Z`,
	} {
		resp, body := g.do(t, "GET", strings.ReplaceAll(path, " ", "%20"))
		if resp.StatusCode != 422 || !strings.Contains(body, want) || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	// The list of indicators repeats its parameter: whatever else may be wrong here.
	if resp, body := g.do(t, "GET", "/api/stocks/AAPL/indicators?spec=sma(20)&spec=rsi(14)"); strings.Contains(body, "more than once") {
		t.Errorf("a list: %d %s", resp.StatusCode, body)
	}
}
