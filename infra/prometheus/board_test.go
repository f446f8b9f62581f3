package prometheus_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the dashboards")

// board is a dashboard, and panel one picture of it, in few words: what they
// show. Their JSON is long and all alike, so it is made from this.
type board struct {
	title  string
	panels []panel
}

// Kinds of panels.
const (
	graph = "timeseries"
	stat  = "stat"
	bars  = "bargauge"
)

type panel struct {
	kind, title, says string // says is what it means, and what is normal
	unit              string // as Grafana names them
	queries           []query
}

type query struct{ legend, expr string }

func one(expr string) []query { return []query{{"", expr}} }

type object = map[string]any

// JSON returns the dashboard as Grafana reads it.
func (b board) JSON() ([]byte, error) {
	panels := make([]object, 0, len(b.panels))
	x, y, row := 0, 0, 0
	for i, p := range b.panels {
		w, h := 12, 8
		if p.kind == stat {
			w, h = 4, 4
		}
		if x+w > 24 {
			x, y, row = 0, y+row, 0
		}
		targets := make([]object, 0, len(p.queries))
		for j, q := range p.queries {
			target := object{"refId": string(rune('A' + j)), "expr": q.expr, "datasource": source}
			if q.legend != "" {
				target["legendFormat"] = q.legend
			}
			if p.kind != graph {
				target["instant"] = true
			}
			targets = append(targets, target)
		}
		panels = append(panels, object{
			"id": i + 1, "type": p.kind, "title": p.title, "description": p.says, "datasource": source, "targets": targets,
			"gridPos":     object{"x": x, "y": y, "w": w, "h": h},
			"fieldConfig": object{"defaults": object{"unit": p.unit, "min": minimum(p)}, "overrides": []any{}},
			"options":     options(p.kind),
		})
		x, row = x+w, max(row, h)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(object{
		"uid": "streamflow-" + b.slug(), "title": "StreamFlow / " + b.title, "tags": []string{"streamflow"}, "schemaVersion": 39, "version": 1,
		"editable": false, "refresh": "10s", "time": object{"from": "now-30m", "to": "now"}, "timezone": "browser", "panels": panels,
		"links": []object{{"type": "dashboards", "tags": []string{"streamflow"}, "title": "StreamFlow", "asDropdown": true, "keepTime": true}},
	})
	return out.Bytes(), err
}

func minimum(p panel) any {
	if p.unit == "none" {
		return nil
	}
	return 0
}

var source = object{"type": "prometheus", "uid": "prometheus"}

func (b board) slug() string { return strings.ToLower(b.title) }

func options(kind string) object {
	switch kind {
	case graph:
		return object{"legend": object{"displayMode": "table", "placement": "right", "calcs": []string{"lastNotNull", "max"}}, "tooltip": object{"mode": "multi", "sort": "desc"}}
	case stat:
		return object{"reduceOptions": object{"calcs": []string{"lastNotNull"}}, "graphMode": "area", "colorMode": "value"}
	}
	return object{"reduceOptions": object{"calcs": []string{"lastNotNull"}}, "orientation": "horizontal", "displayMode": "basic"}
}

// The dashboards are what boards_test.go says: after a change there,
// go test ./infra/prometheus -update.
func TestDashboards(t *testing.T) {
	dir := filepath.Join("..", "grafana", "dashboards")
	var want []string
	for _, b := range boards {
		name := b.slug() + ".json"
		want = append(want, name)
		made, err := b.JSON()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(file, made, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if there, err := os.ReadFile(file); err != nil || !bytes.Equal(there, made) {
			t.Errorf("%s is not what boards_test.go says: go test ./infra/prometheus -update (%v)", file, err)
		}
		for _, p := range b.panels {
			if p.says == "" || p.unit == "" || len(p.queries) == 0 {
				t.Errorf("%s: panel %q: want a unit, an explanation and a query", b.title, p.title)
			}
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !slices.Contains(want, f.Name()) {
			t.Errorf("%s is made from nothing", f.Name())
		}
	}
}
