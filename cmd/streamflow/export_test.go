package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"streamflow/api"
)

func TestExportFormats(t *testing.T) {
	for _, c := range []struct {
		format, out string
		terminal    bool
		want        string
	}{
		{"auto", "", true, formatCSV},
		{"auto", "a.txt", false, formatCSV},
		{"auto", "a.csv.gz", false, formatCSV},
		{"auto", "json.csv", false, formatCSV},
		{"auto", "a.NDJSON.gz", false, formatNDJSON},
		{"auto", "a.jsonl", false, formatNDJSON},
		{"auto", "dir.json/a.parquet", true, formatParquet},
		{"csv", "a.parquet", false, formatCSV},
		{"parquet", "", false, formatParquet},
		{"parquet", "", true, "terminal"},
		{"auto", "a.parquet.gz", false, "leave .gz away"},
	} {
		got, err := (&exportCmd{Format: c.format, Out: c.out}).format(c.terminal)
		if err == nil && got != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("--format %s --out %q: %q, %v, want %s", c.format, c.out, got, err, c.want)
		}
	}
}

// What the database holds is what a reader of Parquet finds.
func TestExportParquet(t *testing.T) {
	r := newOpsRig(t)
	const ticks = 300
	at := time.Now().UTC().Truncate(time.Minute).Add(-10 * time.Minute)
	var body strings.Builder
	for n := range ticks {
		fmt.Fprintf(&body, `,{"symbol":"PQ","price":%d.5,"volume":%d,"timestamp":%q,"id":"=%d"}`, n+1, n, at.Add(time.Duration(n)*time.Second).Format(time.RFC3339), n)
	}
	if status, text := r.call("POST", "/api/ticks", `{"ticks":[`+body.String()[1:]+`]}`, nil); status != 201 {
		t.Fatal(status, text)
	}
	var stored api.TickPage
	r.until("the ticks", "/api/stocks/PQ/ticks?limit=1000", &stored, func() bool { return len(stored.Ticks) == ticks })
	dir := t.TempDir()
	file := filepath.Join(dir, "ticks.parquet")
	if code := run([]string{"export", "ticks", "PQ", "--database", r.s.Database, "--out", file}); code != 0 {
		t.Fatal("exit code", code)
	}
	type row struct {
		Time   time.Time `parquet:"timestamp,timestamp(microsecond)"`
		Symbol string    `parquet:"symbol"`
		Price  float64   `parquet:"price"`
		Volume int64     `parquet:"volume"`
		Bid    *float64  `parquet:"bid,optional"`
		ID     *string   `parquet:"id,optional"`
	}
	rows, err := parquet.ReadFile[row](file)
	if err != nil || len(rows) != ticks {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for n, x := range rows {
		if !x.Time.Equal(at.Add(time.Duration(n)*time.Second)) || x.Symbol != "PQ" || x.Price != float64(n)+1.5 || x.Volume != int64(n) || x.Bid != nil || x.ID == nil || *x.ID != fmt.Sprint("=", n) {
			t.Fatalf("row %d: %+v", n, x)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v is left beside it", left)
	}
	if code := run([]string{"export", "ticks", "PQ", "--database", r.s.Database, "--out", file + ".gz"}); code == 0 {
		t.Error("a Parquet file in .gz is written")
	}
}
