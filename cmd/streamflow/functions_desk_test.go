package main

import (
	"context"
	"encoding/json"
	"testing"

	"streamflow/functions/fleet"
	"streamflow/infra/jetstream"
)

// missingStatus is a bucket whose watch has missed everything that stands in it.
type missingStatus struct {
	fleet.Bucket
	values map[string][]byte
}

func (b missingStatus) Read(_ context.Context, keys []string) ([]jetstream.Kept, error) {
	kept := make([]jetstream.Kept, len(keys))
	for i, key := range keys {
		kept[i].Value = b.values[key]
	}
	return kept, nil
}

// A report that a watch has missed does not make a function look as if nobody
// ran it: it is read by its key.
func TestMissedReportsAreReadAgain(t *testing.T) {
	value := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	report := fleet.ShardReport{}
	report.Function, report.Worker, report.Rate = "candles", "w-1", 20
	worker := fleet.Worker{ID: "w-1", Functions: map[string]fleet.Place{"candles": {Phase: fleet.PhaseRunning}}}
	d := &desk{status: missingStatus{values: map[string][]byte{
		fleet.ShardKey("candles", 0): value(report), fleet.WorkerPrefix + "w-1": value(worker),
	}}}
	rows := []functionRow{{Name: "candles", Places: make(map[string]fleet.Place)}, {Name: "spread", Places: make(map[string]fleet.Place)}}
	status := make(map[string]told)
	if err := d.lookAgain(t.Context(), rows, status); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].fill(status)
	}
	if c := rows[0]; len(c.Shards) != 1 || c.Shards[0].Rate != 20 || c.Places["w-1"].Phase != fleet.PhaseRunning {
		t.Errorf("candles is %+v", c)
	}
	if s := rows[1]; len(s.Shards) != 0 || len(s.Places) != 0 {
		t.Errorf("spread, which nobody runs, is %+v", s)
	}
}
