//go:build ops

package prometheus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestExpressions starts a real Prometheus beside the system at STREAMFLOW_URL
// and evaluates everything that dashboards and rules ask: each must return
// data. An alert is asked without its thresholds: on a good day it has none.
func TestExpressions(t *testing.T) {
	system := os.Getenv("STREAMFLOW_URL")
	if system == "" {
		t.Fatal("STREAMFLOW_URL is not set: go tool task test:ops starts a system and sets it")
	}
	prom := startPrometheus(t, system)
	questions := map[string]string{}
	for _, b := range boards {
		for _, p := range b.panels {
			for i, q := range p.queries {
				questions[fmt.Sprintf("dashboard %s: %s: %d", b.title, p.title, i+1)] = q.expr
			}
		}
	}
	alerts := 0
	for _, r := range readRules(t) {
		if r.Record != "" {
			questions["rule "+r.Record] = r.Expr
			continue
		}
		alerts++
		for i, part := range withoutThresholds(r.Expr) {
			questions[fmt.Sprintf("alert %s: %d", r.Alert, i+1)] = part
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for where, expr := range questions {
		if err := prom.await(ctx, system, expr); err != nil {
			t.Errorf("%s: %s: %v", where, expr, err)
		}
	}
	t.Logf("%d expressions returned data, of %d dashboards and %d alerts", len(questions), len(boards), alerts)
}

var (
	joint     = regexp.MustCompile(` and( on ?\([a-z, ]*\))? `)
	threshold = regexp.MustCompile(` (>|<|==|>=|<=) -?[0-9.e]+$`)
)

// withoutThresholds returns what an alert's expression looks at.
func withoutThresholds(expr string) (parts []string) {
	for _, part := range joint.Split(expr, -1) {
		parts = append(parts, threshold.ReplaceAllString(part, ""))
	}
	return parts
}

type rule struct{ Record, Alert, Expr string }

func readRules(t *testing.T) (all []rule) {
	t.Helper()
	text, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// prometheus is a running one.
type prometheus struct{ url string }

func startPrometheus(t *testing.T, system string) prometheus {
	t.Helper()
	target, err := url.Parse(system)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: [%q]\nscrape_configs:\n  - job_name: up\n    static_configs: [{targets: [%q]}]\n", rules, target.Host)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: install it (Debian: apt-get install prometheus)", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("the end of Prometheus' log: %s", text[max(0, len(text)-2000):])
		}
	})
	return prometheus{"http://" + addr}
}

// await asks until there is data: rates need two samples, recorded rules one
// evaluation. Requests in between are what the figures of the API count.
func (p prometheus) await(ctx context.Context, system, expr string) error {
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for {
		n, err := p.ask(ctx, expr)
		if err == nil && n > 0 {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("no data")
			}
			return err
		}
		if r, err := http.Get(system + "/api/stocks"); err == nil {
			r.Body.Close()
		}
	}
}

// ask returns how many series an expression has, without those that are NaN.
func (p prometheus) ask(ctx context.Context, expr string) (n int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/query?query="+url.QueryEscape(expr), nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Error != "" {
		return 0, fmt.Errorf("%s", answer.Error)
	}
	for _, series := range answer.Data.Result {
		if value, _ := series.Value[1].(string); value != "" && !strings.EqualFold(value, "nan") {
			n++
		}
	}
	return n, nil
}

// The rules are good, and each alert does what rules_test.yml says of it.
func TestPromtool(t *testing.T) {
	for _, args := range [][]string{
		{"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"}, {"check", "config", "--syntax-only", "prometheus.yml"},
	} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
