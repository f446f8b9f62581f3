package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composeFile is what we look at of docker-compose.yml.
type composeFile struct {
	Services map[string]composeService
	Networks map[string]any
	Volumes  map[string]any
	Secrets  map[string]struct{ File string }
}

type composeService struct {
	Image, User, Restart string
	Profiles             []string
	Command              any               // a text, or a list
	Env                  map[string]string `yaml:"environment"`
	ReadOnly             bool              `yaml:"read_only"`
	CapDrop              []string          `yaml:"cap_drop"`
	SecurityOpt          []string          `yaml:"security_opt"`
	Networks             []string
	Ports, Volumes       []string
	Tmpfs                []string
	Secrets              []composeSecret
	DependsOn            map[string]struct {
		Condition string
		Required  *bool
	} `yaml:"depends_on"`
	Healthcheck struct {
		Test    []string
		Disable bool
	}
	Deploy struct {
		Resources struct {
			Limits struct {
				CPUs, Memory string
				PIDs         int
			}
		}
	}
}

// composeSecret is a secret of a service, and the file in /run/secrets by which
// it sees it.
type composeSecret struct{ Source, Target string }

func (s *composeSecret) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		s.Source, s.Target = n.Value, n.Value
		return nil
	}
	type plain composeSecret
	return n.Decode((*plain)(s))
}

func readCompose(t *testing.T) composeFile { return readComposeFiles(t, "docker-compose.yml") }

// deployments are the files as they are to be used: open, and closed.
var deployments = map[string][]string{
	"open":   {"docker-compose.yml"},
	"closed": {"docker-compose.yml", "docker-compose.secure.yml"},
}

func readComposeFiles(t *testing.T, files ...string) composeFile {
	t.Helper()
	var merged any
	for _, name := range files {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(readRepository(t, name)), &n); err != nil {
			t.Fatal(err)
		}
		merged = mergeCompose(merged, composeValue(t, n.Content[0]))
	}
	text, err := yaml.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	var f composeFile
	if err := yaml.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Services) < 20 {
		t.Fatalf("only %d services were found", len(f.Services))
	}
	return f
}

// ours says that the service is the program.
func (s composeService) ours() bool { return strings.HasPrefix(s.Image, "streamflow:") }

func (s composeService) environment() map[string]string {
	env := make(map[string]string)
	for name, value := range s.Env {
		env[name] = interpolate(value)
	}
	return env
}

func (s composeService) args(t *testing.T) (args []string) {
	list, ok := s.Command.([]any)
	if !ok {
		t.Fatalf("command %v: want a list", s.Command)
	}
	for _, arg := range list {
		args = append(args, interpolate(arg.(string)))
	}
	return args
}

// Every command, variable, port and health check is one of the program.
func TestComposeCommandsAreOurs(t *testing.T) {
	for name, files := range deployments {
		t.Run(name, func(t *testing.T) { checkComposeCommands(t, readComposeFiles(t, files...)) })
	}
}

func checkComposeCommands(t *testing.T, f composeFile) {
	worked := make(map[string]bool)
	for name, s := range f.Services {
		if !s.ours() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			args, env := s.args(t), s.environment()
			checkCommand(t, name, args, env)
			if args[0] == "worker" {
				worked[args[1]] = true
			}
			if !s.Healthcheck.Disable {
				if s.Healthcheck.Test[0] != "CMD" || s.Healthcheck.Test[1] != "/streamflow" {
					t.Fatalf("health check %v: the image has only /streamflow", s.Healthcheck.Test)
				}
				checkCommand(t, name+": health check", s.Healthcheck.Test[2:], map[string]string{"METRICS_ADDR": env["METRICS_ADDR"]})
				if env["METRICS_ADDR"] == "" {
					t.Error("the health check asks at METRICS_ADDR, which is not set")
				}
			}
			for _, p := range s.Ports {
				if port := p[strings.LastIndex(p, ":")+1:]; port != portOf(t, name, env["HTTP_ADDR"]) {
					t.Errorf("port %s: it listens on %s", p, env["HTTP_ADDR"])
				}
			}
		})
	}
	for _, e := range registry {
		if !worked[e.name] {
			t.Errorf("no service works on function %s", e.name)
		}
	}
}

// What holds for every container: the promises of the file's head.
func TestComposeIsGuarded(t *testing.T) {
	for name, files := range deployments {
		t.Run(name, func(t *testing.T) { checkComposeGuards(t, readComposeFiles(t, files...)) })
	}
}

func checkComposeGuards(t *testing.T, f composeFile) {
	for name, s := range f.Services {
		t.Run(name, func(t *testing.T) {
			limits := s.Deploy.Resources.Limits
			uid, _, _ := strings.Cut(s.User, ":")
			for promise, kept := range map[string]bool{
				"read-only root":         s.ReadOnly,
				"not root":               regexp.MustCompile(`^[1-9]\d*$`).MatchString(uid),
				"no capabilities":        slices.Equal(s.CapDrop, []string{"ALL"}),
				"no new privileges":      slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}),
				"limits":                 limits.CPUs != "" && limits.Memory != "" && limits.PIDs > 0,
				"a restart policy":       s.Restart != "",
				"a profile":              len(s.Profiles) > 0,
				"one network":            slices.Equal(s.Networks, []string{"streamflow"}),
				"a pinned image":         s.ours() || pinned.MatchString(s.Image),
				"a health check":         len(s.Healthcheck.Test) > 0 || name == "topics" && s.Healthcheck.Disable,
				"a health check that is": len(s.Healthcheck.Test) == 0 || s.Healthcheck.Test[0] != "NONE",
			} {
				if !kept {
					t.Errorf("it does not have %s", promise)
				}
			}
			for _, p := range s.Ports {
				if !strings.HasPrefix(p, "127.0.0.1:") {
					t.Errorf("port %s is open to other machines", p)
				}
			}
			checkComposeMounts(t, f, s)
			checkComposeMemory(t, s)
			checkComposeOrder(t, f, name, s)
		})
	}
}

func checkComposeMounts(t *testing.T, f composeFile, s composeService) {
	for _, v := range s.Volumes {
		from, _, _ := strings.Cut(v, ":")
		if strings.HasPrefix(from, "./") {
			if _, err := os.Stat(repository(from)); err != nil || !strings.HasSuffix(v, ":ro") {
				t.Errorf("volume %s: want a directory that is there, and :ro (%v)", v, err)
			}
		} else if _, ok := f.Volumes[from]; !ok {
			t.Errorf("volume %s is not declared", from)
		}
	}
	given := make(map[string]bool)
	for _, secret := range s.Secrets {
		if given[secret.Target] = true; f.Secrets[secret.Source].File == "" {
			t.Errorf("secret %s is not a file", secret.Source)
		}
	}
	for name, value := range s.environment() {
		for _, m := range regexp.MustCompile(`/run/secrets/([a-z._-]+)`).FindAllStringSubmatch(value, -1) {
			if !given[m[1]] {
				t.Errorf("%s=%s: the secret is not given to it", name, value)
			}
		}
		for _, word := range []string{"PASSWORD", "MASK_KEY", "TOKEN"} {
			if strings.Contains(name, word) && !strings.Contains(name, "FILE") {
				t.Errorf("%s is a secret in the open: use its file", name)
			}
		}
	}
}

// checkComposeMemory: what a tmpfs is good for. Java unpacks the libraries of
// snappy and zstd into /tmp and runs them there, which Docker does not let it
// unless told. And a broker's logs, which go there by the image's configuration,
// are never deleted.
func checkComposeMemory(t *testing.T, s composeService) {
	kafka := strings.HasPrefix(s.Image, "apache/kafka:")
	for _, at := range s.Tmpfs {
		dir, options, _ := strings.Cut(at, ":")
		if java := kafka || s.Env["JAVA_OPTS"] != ""; java && dir == "/tmp" && !slices.Contains(strings.Split(options, ","), "exec") {
			t.Errorf("tmpfs %s: Java cannot load libraries from it without exec", at)
		}
		if kafka && !strings.Contains(options, "size=") {
			t.Errorf("tmpfs %s: want a size", at)
		}
	}
	if !kafka {
		return
	}
	if args, ok := s.Env["EXTRA_ARGS"]; !ok || strings.Contains(args, "loggc") {
		t.Errorf("EXTRA_ARGS %q: it logs the garbage collector into memory", args)
	}
	if !slices.Contains(s.Volumes, "./infra/compose/kafka:/mnt/shared/config:ro") {
		t.Errorf("volumes %q: want the configuration of its logs", s.Volumes)
	}
}

// Kubernetes's broker logs as that of compose does: to the container's log alone.
func TestBrokersLogNoFiles(t *testing.T) {
	log := readRepository(t, "infra", "compose", "kafka", "log4j2.yaml")
	log = log[strings.Index(log, "Configuration:"):]
	if strings.Contains(log, "File") || !strings.Contains(log, "Console:") {
		t.Errorf("a broker logs elsewhere than to its container: %s", log)
	}
	servers := readRepository(t, "infra", "k8s", "components", "servers", "kustomization.yaml")
	if indented := strings.ReplaceAll(strings.TrimSpace(log), "\n", "\n        "); !strings.Contains(servers, "log4j2.yaml="+indented) {
		t.Errorf("infra/k8s has other logs of a broker than infra/compose/kafka/log4j2.yaml")
	}
}

// checkComposeOrder: what is waited for can come, in every profile.
func checkComposeOrder(t *testing.T, f composeFile, name string, s composeService) {
	for on, d := range s.DependsOn {
		other, ok := f.Services[on]
		if !ok {
			t.Errorf("it waits for %s, which is not there", on)
			continue
		}
		switch d.Condition {
		case "service_healthy":
			if other.Healthcheck.Disable || len(other.Healthcheck.Test) == 0 {
				t.Errorf("it waits for the health of %s, which has no check", on)
			}
		case "service_completed_successfully":
			if !strings.HasPrefix(other.Restart, "on-failure") {
				t.Errorf("it waits for the end of %s, which is started again", on)
			}
		default:
			t.Errorf("it waits for %s: %q", on, d.Condition)
		}
		must := d.Required == nil || *d.Required
		for _, p := range s.Profiles {
			if must && !slices.Contains(other.Profiles, p) {
				t.Errorf("in profile %s it waits for %s, which is not in it", p, on)
			}
		}
	}
	if f.waits(name, nil) {
		t.Error("it waits for itself")
	}
}

// waits reports whether a service waits for one that waits for it.
func (f composeFile) waits(name string, path []string) bool {
	if slices.Contains(path, name) {
		return true
	}
	return slices.ContainsFunc(slices.Sorted(maps.Keys(f.Services[name].DependsOn)), func(on string) bool { return f.waits(on, append(path, name)) })
}

// Three of each: what the cluster's variables name is in its profile.
func TestComposeClusterNamesItsServers(t *testing.T) {
	f := readCompose(t)
	text := readRepository(t, "infra", "compose", "cluster.env")
	seen := make(map[string]bool)
	for _, m := range regexp.MustCompile(`((?:kafka|nats)-\d):(\d+)`).FindAllStringSubmatch(text, -1) {
		seen[m[1]] = true
		if !slices.Equal(f.Services[m[1]].Profiles, []string{"cluster"}) {
			t.Errorf("%s is not in profile cluster alone", m[1])
		}
	}
	if len(seen) != 6 || !strings.Contains(text, "\nREPLICATION=3\n") {
		t.Errorf("want three brokers, three nodes and three replicas: %s", text)
	}
	for _, name := range []string{"kafka-1", "kafka-2", "kafka-3"} {
		env := f.Services[name].Env
		if env["KAFKA_MIN_INSYNC_REPLICAS"] != "2" || env["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] != "2" || env["KAFKA_DEFAULT_REPLICATION_FACTOR"] != "3" {
			t.Errorf("%s: want replication 3 and 2 in sync", name)
		}
	}
}
