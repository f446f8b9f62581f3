package postgres

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamflow"
)

func alert(n int) streamflow.Alert {
	severities := []streamflow.Severity{streamflow.SeverityInfo, streamflow.SeverityWarning, streamflow.SeverityCritical}
	return streamflow.Alert{
		ID: fmt.Sprintf("rule-%d/%03d", n%4, n), Rule: fmt.Sprintf("rule-%d", n%4), Name: "Too high", Symbol: []string{"AAPL", "BRK.B"}[n%2],
		When: "price > 200", Severity: severities[n%3], Time: day.Add(time.Duration(n/5) * time.Second), // few times: the ID decides
		Price: 200.25, Values: map[string]float64{"price": 200.25, "bound": 200}, Text: "AAPL is at 200.25",
		Position: fmt.Sprintf("stock_ticks/1/%d", n),
	}
}

func insertAll(t testing.TB, d *DB, alerts ...streamflow.Alert) int64 {
	t.Helper()
	n, refused, err := d.InsertAlerts(t.Context(), alerts)
	if err != nil || len(refused) > 0 {
		t.Fatal(err, refused)
	}
	return n
}

func TestInsertAlertsOnce(t *testing.T) {
	d := newDB(t, WithMaxConns(4))
	var all []streamflow.Alert
	for i := range 200 {
		all = append(all, alert(i))
	}
	all[7].Position, all[7].Values, all[7].Name = "", nil, ""
	var wg sync.WaitGroup
	var mu sync.Mutex
	var written int64
	for w := range uint64(4) { // all of them derive all alerts, in another order
		mine := slices.Concat(all, all[:50])
		rng := rand.New(rand.NewPCG(w, 1))
		rng.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
		wg.Go(func() {
			for part := range slices.Chunk(mine, 30) {
				n, refused, err := d.InsertAlerts(t.Context(), part)
				if err != nil || len(refused) > 0 {
					t.Error(err, refused)
				}
				mu.Lock()
				written += n
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if written != int64(len(all)) {
		t.Errorf("%d rows written, want %d", written, len(all))
	}
	all[7].Values = map[string]float64{}
	for _, want := range all {
		got, ok, err := d.Alert(t.Context(), want.ID)
		if err != nil || !ok || !reflect.DeepEqual(got.Alert, want) || got.Stored.IsZero() || !got.Acknowledged.IsZero() {
			t.Fatalf("%+v, %v, %v, want %+v", got, ok, err, want)
		}
	}
	if _, ok, err := d.Alert(t.Context(), "nobody\x00"); ok || err != nil {
		t.Error("an unknown alert", ok, err)
	}
}

// No content of an alert keeps its neighbours from being stored.
func TestInsertAlertsOddValues(t *testing.T) {
	d := newDB(t)
	odd := alert(1)
	odd.Name, odd.Text, odd.When = "nul \x00 and \xff", `"quotes" \ {a,b} NULL`, ""
	odd.Values = map[string]float64{"a\x00b": 1, "nan": math.NaN(), "inf": math.Inf(1), "big": math.MaxFloat64, "small": math.SmallestNonzeroFloat64, "": -0.1}
	odd.Position, odd.Price, odd.Time = "nowhere", math.Inf(-1), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	long := alert(2)
	long.ID = strings.Repeat("x", 100) + randomText(9000)
	zero := alert(4)
	zero.Time = time.Time{}
	n, refused, err := d.InsertAlerts(t.Context(), []streamflow.Alert{odd, long, alert(3), zero, {}})
	if n != 4 || len(refused) != 1 || err != nil {
		t.Fatal(n, refused, err)
	}
	got, ok, err := d.Alert(t.Context(), odd.ID)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	odd.Name, odd.Position = "nul \ufffd and \ufffd", ""
	odd.Values = map[string]float64{"a\ufffdb": 1, "big": math.MaxFloat64, "small": math.SmallestNonzeroFloat64, "": -0.1}
	if !reflect.DeepEqual(got.Alert, odd) {
		t.Errorf("%+v, want\n%+v", got.Alert, odd)
	}
}

func randomText(n int) string { // that does not compress
	rng := rand.New(rand.NewPCG(1, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(33 + rng.IntN(90))
	}
	return string(b)
}

func TestAlertsPages(t *testing.T) {
	d := newDB(t)
	var all []streamflow.Alert
	for i := range 300 {
		all = append(all, alert(i))
	}
	insertAll(t, d, all...)
	acked := map[string]bool{}
	for i := range 60 {
		acked[alert(i*5).ID] = true
	}
	ids := slices.Collect(func(yield func(string) bool) {
		for id := range acked {
			if !yield(id) {
				return
			}
		}
	})
	if done, err := d.Acknowledge(t.Context(), append(ids, "nobody"), "ann"); err != nil || len(done) != 60 {
		t.Fatal(len(done), err)
	}
	yes, no := true, false
	for _, q := range []AlertsQuery{
		{}, {Symbol: "BRK.B"}, {Rule: "rule-2"}, {Severity: streamflow.SeverityCritical}, {Acknowledged: &yes}, {Acknowledged: &no},
		{From: day.Add(10 * time.Second), To: day.Add(20 * time.Second)},
		{Symbol: "AAPL", Rule: "rule-0", Severity: streamflow.SeverityInfo, Acknowledged: &no, From: day.Add(time.Second)}, {Symbol: "nobody"},
	} {
		var want, got []string
		counts := AlertCounts{BySeverity: map[streamflow.Severity]int64{}, OpenBy: map[streamflow.Severity]int64{}}
		for _, a := range all {
			if (q.Symbol == "" || q.Symbol == a.Symbol) && (q.Rule == "" || q.Rule == a.Rule) && (q.Severity == "" || q.Severity == a.Severity) &&
				(q.Acknowledged == nil || *q.Acknowledged == acked[a.ID]) && !a.Time.Before(q.From) && (q.To.IsZero() || a.Time.Before(q.To)) {
				want = append(want, a.Time.Format(time.RFC3339)+a.ID)
				counts.Total++
				counts.BySeverity[a.Severity]++
				if !acked[a.ID] {
					counts.Open++
					counts.OpenBy[a.Severity]++
				}
			}
		}
		slices.Sort(want)
		slices.Reverse(want)
		if n, err := d.CountAlerts(t.Context(), q); err != nil || !reflect.DeepEqual(n, counts) {
			t.Errorf("%+v: counts %+v, %v, want %+v", q, n, err, counts)
		}
		q.Limit = 7
		for {
			page, err := d.Alerts(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				got = append(got, a.Time.Format(time.RFC3339)+a.ID)
				if acked[a.ID] != (a.AcknowledgedBy == "ann") || acked[a.ID] == a.Acknowledged.IsZero() {
					t.Errorf("%s: acknowledged %v by %q", a.ID, a.Acknowledged, a.AcknowledgedBy)
				}
			}
			if len(page) < q.Limit {
				break
			}
			last := page[len(page)-1]
			q.After = &AlertCursor{Time: last.Time, ID: last.ID}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d alerts, want %d, or another order", q, len(got), len(want))
		}
	}
}

// The first to acknowledge is kept; many may at once, in any order.
func TestAcknowledge(t *testing.T) {
	d := newDB(t, WithMaxConns(6))
	var ids []string
	for i := range 100 {
		insertAll(t, d, alert(i))
		ids = append(ids, alert(i).ID)
	}
	if n, err := d.AcknowledgeAll(t.Context(), AlertsQuery{Rule: "rule-1"}, "bob"); n != 25 || err != nil {
		t.Fatal(n, err)
	}
	var wg sync.WaitGroup
	for w := range uint64(6) {
		mine := slices.Clone(ids)
		rand.New(rand.NewPCG(w, 1)).Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
		wg.Go(func() {
			if got, err := d.Acknowledge(t.Context(), mine, fmt.Sprint("user\x00", w)); err != nil || len(got) != len(ids) {
				t.Error(len(got), err)
			}
		})
	}
	wg.Wait()
	got, err := d.Alerts(t.Context(), AlertsQuery{Limit: 1000})
	if err != nil || len(got) != len(ids) {
		t.Fatal(len(got), err)
	}
	for _, a := range got {
		if a.Acknowledged.IsZero() || (a.AcknowledgedBy == "bob") != (a.Rule == "rule-1") {
			t.Errorf("%s of %s was acknowledged %v by %q", a.ID, a.Rule, a.Acknowledged, a.AcknowledgedBy)
		}
	}
	if n, err := d.AcknowledgeAll(t.Context(), AlertsQuery{}, "late"); n != 0 || err != nil {
		t.Error(n, err)
	}
	if insertAll(t, d, alert(0)) != 0 { // delivered again
		t.Error("an acknowledged alert was stored again")
	}
}

func TestDeliveries(t *testing.T) {
	d := newDB(t)
	var want []Delivery
	for i := range 30 {
		x := Delivery{
			Time: day.Add(time.Duration(i) * time.Second), Webhook: fmt.Sprint("hook", i%2), AlertID: fmt.Sprint("a", i%3), Attempt: i, Status: 200,
			Duration: 1500 * time.Microsecond,
		}
		if i%5 == 0 {
			x.Status, x.Error = 0, strings.Repeat("é", 600)+"\x00"
		}
		if err := d.RecordDelivery(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		want = append(want, x)
	}
	for _, q := range []DeliveriesQuery{{}, {Webhook: "hook1"}, {AlertID: "a2"}, {FailedOnly: true, Webhook: "hook0"}} {
		var attempts, got []int
		for _, x := range slices.Backward(want) {
			if (q.Webhook == "" || q.Webhook == x.Webhook) && (q.AlertID == "" || q.AlertID == x.AlertID) && (!q.FailedOnly || x.Error != "") {
				attempts = append(attempts, x.Attempt)
			}
		}
		q.Limit = 4
		for {
			page, err := d.Deliveries(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range page {
				got = append(got, x.Attempt)
				w := want[x.Attempt]
				if w.Error != "" && (len(x.Error) > maxDeliveryError+10 || !strings.HasPrefix(x.Error, "éé")) {
					t.Errorf("error of %d bytes", len(x.Error))
				}
				w.ID, w.Error, q.Before = x.ID, x.Error, x.ID
				if !reflect.DeepEqual(x, w) {
					t.Errorf("%+v, want %+v", x, w)
				}
			}
			if len(page) < q.Limit {
				break
			}
		}
		if !slices.Equal(got, attempts) {
			t.Errorf("%+v: attempts %v, want %v", q, got, attempts)
		}
	}
	insertAll(t, d, alert(1))
	if n, err := d.PruneAlerts(t.Context(), day.Add(10*time.Second), 100); n != 11 || err != nil {
		t.Error(n, err)
	}
}
