package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v3"

	"streamflow"
)

var updateKubernetes = flag.Bool("update-kubernetes", false, "write infra/k8s's workers and their scaling anew")

// The workers are all alike and follow the registry, so they are made from it:
// go test ./cmd/streamflow -run Kubernetes -update-kubernetes
const workersHead = `# One Deployment for each function of cmd/streamflow/registry.go, made by
# kubernetes_test.go: go test ./cmd/streamflow -run Kubernetes -update-kubernetes
`

var workerTemplate = template.Must(template.New("worker").Parse(`---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{.Name}}
  labels: {app.kubernetes.io/component: {{.Name}}, streamflow/scaled: "{{.Scaled}}"}
spec:
  replicas: 1
  selector: {matchLabels: {app.kubernetes.io/component: {{.Name}}}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  template:
    metadata:
      labels: {app.kubernetes.io/component: {{.Name}}, streamflow/reaches-servers: "true"}
    spec:
      serviceAccountName: streamflow
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 30
      securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: {matchLabels: {app.kubernetes.io/component: {{.Name}}}}
      containers:
        - name: worker
          image: streamflow
          args: [worker, {{.Name}}]
          envFrom: [{configMapRef: {name: streamflow}}]
          env:
            - {name: METRICS_ADDR, value: ":9100"}
            - {name: DATABASE_PASSWORD_FILE, value: /run/secrets/streamflow/database_password}
            - {name: GOMEMLIMIT, value: 450MiB}
          ports: [{name: metrics, containerPort: 9100}]
          startupProbe: {httpGet: {path: /health, port: metrics}, periodSeconds: 2, failureThreshold: 60}
          livenessProbe: {httpGet: {path: /health, port: metrics}, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3}
          readinessProbe: {httpGet: {path: /ready, port: metrics}, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 2}
          volumeMounts: [{name: secrets, mountPath: /run/secrets/streamflow, readOnly: true}]
          resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 512Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumes:
        - name: secrets
          secret: {secretName: streamflow, items: [{key: database_password, path: database_password}], defaultMode: 288}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: {{.Name}}}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {app.kubernetes.io/component: {{.Name}}}}
`))

// Shard 0 stands for all: keys are spread evenly. KEDA counts what is not
// delivered and what is not acknowledged. A function that has never run has no
// durable yet, which is an error to KEDA: for the fallback it leaves the worker
// that the Deployment began with, and that one makes the durable.
var scaleTemplate = template.Must(template.New("scale").Parse(`---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: {{.Name}}}
spec:
  scaleTargetRef: {name: {{.Name}}}
  minReplicaCount: 0
  maxReplicaCount: 4
  pollingInterval: 10
  cooldownPeriod: 300
  fallback: {failureThreshold: 3, replicas: 1}
  triggers:
    - type: nats-jetstream
      metadata:
        natsServerMonitoringEndpoint: nats.nats:8222
        account: $G
        stream: {{.Reads}}
        consumer: {{.Durable}}
        lagThreshold: "10000"
        activationLagThreshold: "0"
`))

// scaled says that what waits for a function is to be seen on one durable.
func scaled(e *entry) bool { return !e.alone && e.state == streamflow.StateRunning }

func makeKubernetes(t *testing.T) (workers, scaling []byte) {
	t.Helper()
	w, s := bytes.NewBufferString(workersHead), bytes.NewBufferString(workersHead)
	for _, e := range registry {
		data := map[string]any{"Name": e.name, "Reads": e.reads, "Durable": streamflow.Durable(e.name, 0), "Scaled": scaled(e)}
		if err := workerTemplate.Execute(w, data); err != nil {
			t.Fatal(err)
		}
		if scaled(e) {
			if err := scaleTemplate.Execute(s, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	return w.Bytes(), s.Bytes()
}

func TestKubernetesFollowsTheRegistry(t *testing.T) {
	workers, scaling := makeKubernetes(t)
	for name, want := range map[string][]byte{"base/workers.yaml": workers, "components/keda/scaledobjects.yaml": scaling} {
		followsTheRegistry(t, name, want)
	}
}

// followsTheRegistry holds a file of infra/k8s against what the registry makes of it.
func followsTheRegistry(t *testing.T, name string, want []byte) {
	t.Helper()
	file := repository("infra", "k8s", name)
	if *updateKubernetes {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := os.ReadFile(file); err != nil || !bytes.Equal(there, want) {
		t.Errorf("infra/k8s/%s does not follow the registry: go test ./cmd/streamflow -run Kubernetes -update-kubernetes (%v)", name, err)
	}
}

// manifest is what we look at of a Kubernetes object.
type manifest struct {
	file     string
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     podSpec
		}
		Selector    map[string]any
		PodSelector map[string]any `yaml:"podSelector"`
	}
}

type podSpec struct {
	AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
	SecurityContext              struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers []container
}

type container struct {
	Name, Image    string
	Args           []string
	Env            []struct{ Name, Value string }
	EnvFrom        []any `yaml:"envFrom"`
	Ports          []containerPort
	StartupProbe   *probeSpec `yaml:"startupProbe"`
	LivenessProbe  *probeSpec `yaml:"livenessProbe"`
	ReadinessProbe *probeSpec `yaml:"readinessProbe"`
	Resources      struct{ Requests, Limits map[string]string }
	Security       struct {
		Escalation *bool                   `yaml:"allowPrivilegeEscalation"`
		ReadOnly   bool                    `yaml:"readOnlyRootFilesystem"`
		Can        struct{ Drop []string } `yaml:"capabilities"`
	} `yaml:"securityContext"`
}

type containerPort struct {
	Name          string
	ContainerPort int `yaml:"containerPort"`
}

type probeSpec struct {
	HTTPGet *struct{ Path, Port string } `yaml:"httpGet"`
}

func readManifests(t *testing.T) (all []manifest) {
	t.Helper()
	root := repository("infra", "k8s")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.Name() == "patches" { // no objects, see kubernetes_secure_test.go
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Ext(name) != ".yaml" || d.Name() == "kustomization.yaml" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		in := yaml.NewDecoder(bytes.NewReader(text))
		for {
			m := manifest{file: strings.TrimPrefix(name, root)}
			if err := in.Decode(&m); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, m)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Fatalf("only %d objects were found", len(all))
	}
	return all
}

// Every command, variable, port and probe is one of the program, and every pod
// is what the restricted standard for pods wants.
func TestKubernetesCommandsAreOurs(t *testing.T) {
	all := readManifests(t)
	shared := make(map[string]bool) // variables of the ConfigMap
	for _, m := range all {
		if m.Kind == "ConfigMap" {
			for name := range m.Data {
				shared[name] = false
			}
		}
	}
	for _, m := range all {
		if len(m.Spec.Template.Spec.Containers) == 0 {
			continue
		}
		t.Run(m.Kind+"/"+m.Metadata.Name, func(t *testing.T) {
			checkPod(t, m.Spec.Template.Spec)
			for _, c := range m.Spec.Template.Spec.Containers {
				checkContainer(t, c, m.Kind != "Job")
				if c.Image == "streamflow" {
					checkOurs(t, c, m.Kind != "Job")
				} else if !pinned.MatchString(c.Image) {
					t.Errorf("image %s is not pinned", c.Image)
				}
			}
		})
	}
	for name := range shared {
		if !regexp.MustCompile(`^(KAFKA_BOOTSTRAP_SERVERS|NATS_URL|DATABASE_URL|REPLICATION|SCHEMA_REGISTRY_URL|LOG_FORMAT|LOG_LEVEL)$`).MatchString(name) {
			t.Errorf("ConfigMap streamflow: %s is not among what all parts may read", name)
		}
	}
	checkCommand(t, "ConfigMap streamflow", []string{"topics"}, all[slices.IndexFunc(all, func(m manifest) bool { return m.Kind == "ConfigMap" })].Data)
}

func checkPod(t *testing.T, p podSpec) {
	t.Helper()
	s := p.SecurityContext
	if !s.RunAsNonRoot || s.RunAsUser == 0 || s.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("security context %+v: want no root, and the default seccomp profile", s)
	}
	if p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
		t.Error("it is given a token for the API of Kubernetes, which it has no use for")
	}
}

func checkContainer(t *testing.T, c container, serves bool) {
	t.Helper()
	if c.Security.Escalation == nil || *c.Security.Escalation || !c.Security.ReadOnly || !slices.Equal(c.Security.Can.Drop, []string{"ALL"}) {
		t.Errorf("security context %+v: want no escalation, no capabilities, a read-only root", c.Security)
	}
	if c.Resources.Requests["cpu"] == "" || c.Resources.Requests["memory"] == "" || c.Resources.Limits["memory"] == "" {
		t.Errorf("resources %+v: want requests, and a limit on memory", c.Resources)
	}
	if serves && (c.StartupProbe == nil || c.LivenessProbe == nil || c.ReadinessProbe == nil) {
		t.Error("want startup, liveness and readiness probes")
	}
}

func checkOurs(t *testing.T, c container, serves bool) {
	t.Helper()
	env := make(map[string]string)
	for _, v := range c.Env {
		env[v.Name] = v.Value
	}
	checkCommand(t, c.Name, c.Args, env)
	ports := make(map[string]string)
	for _, p := range c.Ports {
		ports[p.Name] = fmt.Sprint(p.ContainerPort)
	}
	listens := map[string]string{"metrics": env["METRICS_ADDR"], "http": env["HTTP_ADDR"]}
	for name, port := range ports {
		if portOf(t, name, listens[name]) != port {
			t.Errorf("port %s is %s, and it listens on %q", name, port, listens[name])
		}
	}
	if !serves {
		return
	}
	for kind, p := range map[string]*probeSpec{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		want := map[bool]string{true: "/ready", false: "/health"}[kind == "readiness"]
		// A liveness that asks for the servers would kill all parts when one is away.
		if p.HTTPGet == nil || p.HTTPGet.Path != want || ports[p.HTTPGet.Port] == "" {
			t.Errorf("%s probe %+v: want %s at a port of its own", kind, p.HTTPGet, want)
		}
	}
}

// Every function can be scaled by what waits for it on its durable.
func TestKubernetesHasAWorkerForEachFunction(t *testing.T) {
	deployed := make(map[string]bool)
	for _, m := range readManifests(t) {
		if m.Kind == "Deployment" {
			deployed[m.Metadata.Name] = true
		}
	}
	for _, e := range registry {
		if !deployed[e.name] {
			t.Errorf("infra/k8s has no worker for %s", e.name)
		}
	}
	for _, part := range []string{"bridge", "api", "simulate"} {
		if !deployed[part] {
			t.Errorf("infra/k8s has no %s", part)
		}
	}
}
