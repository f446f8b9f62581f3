package api

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"streamflow"
)

func TestExportTicks(t *testing.T) {
	g := newRig(t, nil)
	var want []string
	for n := range 2*chunk + 3 {
		m := g.tick("BTC/USD", float64(n)+0.25, 1, epoch.Add(time.Duration(n/3)*time.Second))
		m.Tick.ID = fmt.Sprintf("=cmd|'%d'!A1", n)
		g.store.put(m)
		want = append(want, fmt.Sprint(m.Tick.Price))
	}
	resp, body := g.do(t, "GET", "/api/stocks/BTC%2FUSD/ticks.csv")
	if h := resp.Header; resp.StatusCode != 200 || h.Get("Content-Type") != "text/csv; charset=utf-8" ||
		h.Get("Content-Disposition") != `attachment; filename="BTC_USD-ticks.csv"` || h.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", resp.StatusCode, h)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != len(want)+1 || strings.Join(rows[0], ",") != streamflow.TickColumns {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for n, row := range rows[1:] {
		if row[2] != want[n] || row[6] != fmt.Sprintf("'=cmd|'%d'!A1", n) || row[4] != "" || !json.Valid([]byte(row[10])) {
			t.Fatalf("row %d: %q", n, row)
		}
	}
	resp, body = g.do(t, "GET", "/api/stocks/BTC%2FUSD/ticks.ndjson?from=2025-11-21T12:00:01Z&to=2025-11-21T12:00:03Z")
	if lines := strings.Split(strings.TrimSpace(body), "\n"); len(lines) != 6 || resp.Header.Get("Content-Type") != "application/x-ndjson; charset=utf-8" || !strings.Contains(lines[0], `"price":3.25`) {
		t.Errorf("%v %s", resp.Header, body)
	}
	if resp, body := g.do(t, "HEAD", "/api/stocks/BTC%2FUSD/ticks.csv"); resp.StatusCode != 200 || body != "" {
		t.Errorf("HEAD: %d %q", resp.StatusCode, body)
	}
	g.problem(t, "GET", "/api/stocks/NONE/ticks.csv", 404, "NONE")
	g.problem(t, "GET", "/api/stocks/A/ticks.csv?from=2025-11-21T12:00:01Z&to=2025-11-21T12:00:01Z", 422, "query.to")
	g.store.fail(errors.New("connection refused"))
	g.problem(t, "GET", "/api/stocks/BTC%2FUSD/ticks.csv", 503, "connection refused")
}

func TestExportCandles(t *testing.T) {
	g := newMarketRig(t)
	for n := range 20 {
		if n%5 != 2 {
			g.market.put(candle("AAPL", streamflow.Minute1, n, float64(n)))
		}
	}
	const span = "from=2025-11-21T12:00:00Z&to=2025-11-21T12:20:00Z"
	_, body := g.do(t, "GET", "/api/stocks/AAPL/candles.csv?fill=previous&"+span)
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 21 || strings.Join(rows[3], ",") != "AAPL,1m,2025-11-21T12:02:00Z,1,1,1,1,0,0,1,true,0,true" {
		t.Errorf("%v: %s", err, body)
	}
	_, body = g.do(t, "GET", "/api/stocks/AAPL/candles.ndjson?"+span)
	lines := bufio.NewScanner(strings.NewReader(body))
	n := 0
	for ; lines.Scan(); n++ {
		var c Candle
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil || c.Filled {
			t.Errorf("%v: %s", err, lines.Text())
		}
	}
	if n != 16 {
		t.Errorf("%d lines", n)
	}
}

// TestExportIsCut breaks the database in the middle: the client must see that
// it has not got all.
func TestExportIsCut(t *testing.T) {
	g := newRig(t, nil)
	for n := range chunk + 1 {
		g.store.put(g.tick("A", 1, 1, epoch.Add(time.Duration(n)*time.Second)))
	}
	calls := 0
	g.Server.config.Store = storeFunc{g.store, func(q TicksQuery) error {
		if calls++; calls > 1 {
			return errors.New("connection reset")
		}
		return nil
	}}
	resp, err := http.Get(g.url + "/api/stocks/A/ticks.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("an answer that was cut off looks whole")
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// TestExportEndsWithItsClient reads a little of much and goes: the queries end.
func TestExportEndsWithItsClient(t *testing.T) {
	g := newRig(t, nil)
	row := g.tick("A", 1, 1, epoch)
	row.Tick.Exchange = strings.Repeat("x", 64)
	asked := make(chan struct{}, 1<<20)
	g.Server.config.Store = endless{g.store, row, asked}
	for range maxExports + 1 { // each gives its place back
		resp, err := http.Get(g.url + "/api/stocks/A/ticks.csv")
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		eventually(t, "the queries end", func() bool {
			for len(asked) > 0 {
				<-asked
			}
			time.Sleep(20 * time.Millisecond)
			return len(asked) == 0
		})
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// TestExportOutlivesTimeouts of the server, which are meant for other requests.
func TestExportOutlivesTimeouts(t *testing.T) {
	g := newRig(t, nil)
	for n := range 3*chunk + 1 {
		g.store.put(g.tick("A", 1, 1, epoch.Add(time.Duration(n)*time.Second)))
	}
	g.Server.config.Store = storeFunc{g.store, func(TicksQuery) error {
		time.Sleep(700 * time.Millisecond) // a slow database
		return nil
	}}
	web := httptest.NewUnstartedServer(g.Handler())
	web.Config.ReadTimeout, web.Config.WriteTimeout = 2*time.Second, 2*time.Second
	web.Start()
	defer web.Close()
	resp, err := web.Client().Get(web.URL + "/api/stocks/A/ticks.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if n := strings.Count(string(body), "\n"); err != nil || n != 3*chunk+1 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestExportsAreBounded(t *testing.T) {
	places := make(gate, 1)
	if err := places.enter("exports"); err != nil {
		t.Fatal(err)
	}
	if err := places.enter("exports"); err == nil || !strings.Contains(err.Error(), "1 exports run already") {
		t.Error(err)
	}
	places.leave()
	if err := places.enter("exports"); err != nil {
		t.Error(err)
	}
}

func TestFileNames(t *testing.T) {
	if got := fileName("../^A\"\r\n/:", "ticks", "csv"); got != "..__A_____-ticks.csv" {
		t.Errorf("file name %q", got)
	}
}
