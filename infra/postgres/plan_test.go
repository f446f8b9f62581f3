package postgres

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// A page is read from an index in the order in which it is wanted, however many
// rows there are.
func TestPagesComeFromIndexes(t *testing.T) {
	d := newDB(t)
	var candles []streamflow.Candle
	for round := range 400 {
		candles = append(candles, manyCandles(50, round, 1)...)
	}
	upsertAll(t, d, candles...)
	var alerts []streamflow.Alert
	for i := range 20_000 {
		a := alert(i)
		a.ID, a.Symbol = fmt.Sprint(i), fmt.Sprintf("S%d", i%300)
		alerts = append(alerts, a)
	}
	insertAll(t, d, alerts...)
	if n, err := d.AcknowledgeAll(t.Context(), AlertsQuery{To: day.Add(3900 * time.Second)}, "ann"); n != 19_500 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := d.pool.Exec(t.Context(), "ANALYZE candles, alerts"); err != nil {
		t.Fatal(err)
	}
	no := false
	page := func(q CandlesQuery) (string, []any) { return q.sql() }
	for index, query := range map[string]func() (string, []any){
		"Index Scan Backward using candles_pkey": func() (string, []any) {
			return page(CandlesQuery{Symbol: "S0001", Interval: streamflow.Minute1, From: day, After: day.Add(300 * time.Minute), Limit: 5})
		},
		"Index Scan using candles_pkey": func() (string, []any) {
			return page(CandlesQuery{Symbol: "S0001", Interval: streamflow.Minute1, From: day, OldestFirst: true, Limit: 5})
		},
		"Index Scan Backward using alerts_time": func() (string, []any) {
			q := AlertsQuery{Severity: streamflow.SeverityInfo, After: &AlertCursor{day.Add(time.Hour), "x"}}
			return q.sql()
		},
		"Index Scan Backward using alerts_symbol_time": func() (string, []any) { q := AlertsQuery{Symbol: "S7", Limit: 5}; return q.sql() },
		"Index Scan Backward using alerts_rule_time":   func() (string, []any) { q := AlertsQuery{Rule: "rule-3", Limit: 5}; return q.sql() },
		"Index Scan Backward using alerts_open":        func() (string, []any) { q := AlertsQuery{Acknowledged: &no}; return q.sql() },
	} {
		sql, args := query()
		rows, err := d.pool.Query(t.Context(), "EXPLAIN "+sql, args...)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		plan := strings.Join(lines, "\n")
		if err != nil || !strings.Contains(plan, index) || strings.Contains(plan, "Sort") {
			t.Errorf("%s\nwant %s, without sorting: %v\n%s", sql, index, err, plan)
		}
	}
}
