package archive

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
)

type alertTable struct {
	rows map[string]streamflow.Alert
	fail error
}

func (t *alertTable) InsertAlerts(_ context.Context, alerts []streamflow.Alert) (written int64, refused []error, err error) {
	if t.fail != nil {
		return 0, nil, t.fail
	}
	for _, a := range alerts {
		if len(a.ID) > 100 {
			refused = append(refused, errors.New("too long"))
		} else if _, ok := t.rows[a.ID]; !ok {
			t.rows[a.ID] = a
			written++
		}
	}
	return written, refused, nil
}

func alertFact(n int64, a streamflow.Alert) streamflow.Message {
	data, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return streamflow.Message{
		Subject: streamflow.AlertSubject(a.Symbol), Data: data, Position: streamflow.Position{Topic: "alerts.x", Offset: n},
	}
}

func TestAlertsStoresFactsOnce(t *testing.T) {
	r, store := prometheus.NewRegistry(), &alertTable{rows: map[string]streamflow.Alert{}}
	s := NewAlerts(store, slog.New(slog.DiscardHandler), NewMetrics(r))
	if at, err := s.Load(t.Context()); at != nil || err != nil {
		t.Fatal(at, err)
	}
	good := streamflow.Alert{ID: "r/A/1", Rule: "r", Symbol: "A", Severity: streamflow.SeverityInfo, Time: start, Values: map[string]float64{"x": 1}}
	var batch []streamflow.Message
	for _, change := range []func(*streamflow.Alert){
		func(*streamflow.Alert) {},
		func(a *streamflow.Alert) { a.ID = "" },
		func(a *streamflow.Alert) { a.Rule = "" },
		func(a *streamflow.Alert) { a.Symbol = "*" },
		func(a *streamflow.Alert) { a.ID = "r/A/2" },
	} {
		a := good
		change(&a)
		batch = append(batch, alertFact(int64(len(batch)), a))
	}
	text := alertFact(5, good)
	text.Data = []byte(`{"id":"r/A/3","price":"high"}`)
	foreign := alertFact(6, streamflow.Alert{ID: "r/A/4", Rule: "r", Symbol: "A"})
	foreign.Position = streamflow.Position{}
	batch = append(batch, text, foreign)
	for range 2 {
		if err := s.Commit(t.Context(), batch, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := store.rows["r/A/1"]; len(store.rows) != 2 || got.Values["x"] != 1 || !got.Time.Equal(start) {
		t.Errorf("%+v", store.rows)
	}
	if got, want := counts(t, r), (map[string]float64{"written": 2, "kept": 2, "unreadable": 8, "refused": 0}); !maps.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
	store.fail = errors.New("gone")
	if err := s.Commit(t.Context(), batch, nil, nil); !errors.Is(err, store.fail) {
		t.Errorf("error %v", err)
	}
	if err := s.Commit(t.Context(), batch[1:3], nil, nil); err != nil {
		t.Errorf("nothing to store: %v", err)
	}
}

// FuzzReadAlert: whatever is accepted has what the table needs.
func FuzzReadAlert(f *testing.F) {
	f.Add([]byte(`{"id":"r/A/1","rule":"r","symbol":"A","when":"price > 1","severity":"info","time":"2025-01-02T15:04:05Z","price":1,"values":{"a":1},"text":"x"}`))
	f.Add([]byte(`{"id":"\u0000","rule":"\ud800","symbol":"A","values":{"\u0000":1e308}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := readAlert(data); err == nil && (a.ID == "" || a.Rule == "" || a.Symbol == "") {
			t.Errorf("%q gives %+v", data, a)
		}
	})
}
