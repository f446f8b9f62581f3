package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"streamflow"
	"streamflow/infra/jetstream"
)

// ofTheRuntime are variables that the Go runtime reads, not we.
var ofTheRuntime = []string{"GOMEMLIMIT", "GOMAXPROCS", "GOGC"}

// checkCommand fails unless the program takes the command line in that
// environment, and knows every variable of it.
func checkCommand(t *testing.T, where string, args []string, env map[string]string) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	var c cli
	parser, err := kong.New(&c, kong.Name("streamflow"), kong.Exit(func(int) {}),
		kong.Vars{"symbols": defaultSymbols, "interval": defaultInterval.String(), "group": streamflow.GroupBridge})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		t.Errorf("%s: streamflow %s: %v", where, strings.Join(args, " "), err)
		return
	}
	if worker, ok := strings.CutPrefix(strings.Join(args, " "), "worker "); ok {
		if _, err := lookUp(worker); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
	known := slices.Clone(ofTheRuntime)
	for _, group := range parsed.Selected().AllFlags(false) {
		for _, flag := range group {
			known = append(known, flag.Envs...)
		}
	}
	for name := range env {
		if !slices.Contains(known, name) {
			t.Errorf("%s: streamflow %s does not read the variable %s", where, strings.Join(args, " "), name)
		}
	}
}

// portOf returns the port of an address such as ":9100".
func portOf(t *testing.T, where, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Errorf("%s: %v", where, err)
	}
	return port
}

var variable = regexp.MustCompile(`\$\{([A-Z_]+)(?::-([^}]*))?\}`)

// interpolate does to a text what compose does where no variable is set.
func interpolate(s string) string { return variable.ReplaceAllString(s, "$2") }

// pinned are image names with a version in full.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?([-.][a-z0-9.-]+)?$`)

// repository returns a path below the root of the repository.
func repository(elements ...string) string {
	return filepath.Join(append([]string{"..", ".."}, elements...)...)
}

func readRepository(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(repository(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Prometheus asks all that has metrics, and only where something listens.
func TestPrometheusScrapesWhatThereIs(t *testing.T) {
	var config struct {
		Scrapes []struct {
			DNS []struct {
				Port  string
				Names []string
			} `yaml:"dns_sd_configs"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(readRepository(t, "infra", "prometheus", "prometheus.yml")), &config); err != nil {
		t.Fatal(err)
	}
	ports := make(map[string]string) // by service
	for _, s := range config.Scrapes {
		for _, d := range s.DNS {
			for _, name := range d.Names {
				ports[name] = d.Port
			}
		}
		for _, static := range s.Static {
			for _, target := range static.Targets {
				name, port, _ := strings.Cut(target, ":")
				ports[name] = port
			}
		}
	}
	services := readCompose(t).Services
	for name, s := range services {
		if addr := s.environment()["METRICS_ADDR"]; s.ours() && addr != "" && portOf(t, name, addr) != ports[name] {
			t.Errorf("prometheus.yml asks %s at port %q; its metrics are at %s", name, ports[name], addr)
		}
	}
	for name := range ports {
		if _, ok := services[name]; !ok && name != "127.0.0.1" {
			t.Errorf("prometheus.yml: there is no service %s", name)
		}
	}
}

// In a cluster it finds all parts by the name of a port, and names them by a label.
func TestPrometheusFindsThePods(t *testing.T) {
	var config struct {
		Scrapes []struct {
			Pods  []struct{ Role string } `yaml:"kubernetes_sd_configs"`
			Rules []struct {
				From   []string `yaml:"source_labels"`
				Regex  string
				Action string
				Target string `yaml:"target_label"`
			} `yaml:"relabel_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(readRepository(t, "infra", "prometheus", "kubernetes.yml")), &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Scrapes) != 1 || len(config.Scrapes[0].Pods) != 1 || config.Scrapes[0].Pods[0].Role != "pod" || len(config.Scrapes[0].Rules) != 2 {
		t.Fatalf("kubernetes.yml: %+v", config)
	}
	keep, label := config.Scrapes[0].Rules[0], config.Scrapes[0].Rules[1]
	if keep.Action != "keep" || !slices.Equal(keep.From, []string{"__meta_kubernetes_pod_container_port_name"}) ||
		label.Target != "job" || !slices.Equal(label.From, []string{"__meta_kubernetes_pod_label_app_kubernetes_io_component"}) {
		t.Errorf("kubernetes.yml: %+v, %+v", keep, label)
	}
	for _, m := range readManifests(t) {
		for _, c := range m.Spec.Template.Spec.Containers {
			if m.Kind != "Deployment" || c.Image != "streamflow" {
				continue
			}
			found := slices.ContainsFunc(c.Ports, func(p containerPort) bool { return p.Name == keep.Regex })
			if job := m.Spec.Template.Metadata.Labels["app.kubernetes.io/component"]; !found || job != m.Metadata.Name {
				t.Errorf("%s: Prometheus finds it: %v, as job %q", m.Metadata.Name, found, job)
			}
		}
	}
}

// Whoever can read values of a schema registry is told where it is: in compose
// by a variable of the machine, in Kubernetes by a component.
func TestDeploymentsKnowTheSchemaRegistry(t *testing.T) {
	const name = "SCHEMA_REGISTRY_URL"
	reads := func(args []string) bool {
		_, line := parsed(t, args...)
		return slices.ContainsFunc(line.Selected().Flags, func(f *kong.Flag) bool { return slices.Contains(f.Envs, name) })
	}
	network := readRepository(t, "infra", "k8s", "components", "schema-registry", "network.yaml")
	told := 0
	for service, s := range readCompose(t).Services {
		if !s.ours() {
			continue
		}
		if _, ok := s.Env[name]; ok != reads(s.args(t)) {
			t.Errorf("docker-compose.yml: %s has %s: %v", service, name, ok)
		} else if ok {
			if told++; s.Env[name] != "${"+name+":-}" || !regexp.MustCompile(`values: \[.*\b`+service+`\b`).MatchString(network) {
				t.Errorf("%s: compose says %q, Kubernetes lets out %s", service, s.Env[name], network)
			}
		}
	}
	if told != 3 {
		t.Errorf("%d services know it", told)
	}
	component := readRepository(t, "infra", "k8s", "components", "schema-registry", "kustomization.yaml")
	if url := regexp.MustCompile(`path: /data/` + name + `, value: "http://[^"]*:(\d+)"`).FindStringSubmatch(component); url == nil || !strings.Contains(network, "port: "+url[1]) {
		t.Errorf("the component does not set %s, or does not let us there: %s", name, component)
	}
}

// A NATS server makes no stream that might grow beyond what it may store: it must
// have room for all of ours at once.
func TestNATSHasRoomForTheStreams(t *testing.T) {
	var all int64
	for _, s := range jetstream.Streams(jetstream.DefaultLimits) {
		all += s.MaxBytes
	}
	for _, file := range []string{"infra/nats/nats.conf", "infra/k8s/components/servers/kustomization.yaml"} {
		m := regexp.MustCompile(`max_file_store: (\d+)GB`).FindStringSubmatch(readRepository(t, file))
		if m == nil {
			t.Fatalf("%s: no max_file_store in GB", file)
		}
		if room, err := strconv.ParseInt(m[1], 10, 64); err != nil || room<<30 < all {
			t.Errorf("%s: NATS may store %d GB, the streams %d bytes (%v)", file, room, all, err)
		}
	}
}
