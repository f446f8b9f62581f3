package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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

const closedHead = `# Each part as its own user, made by kubernetes_secure_test.go:
# go test ./cmd/streamflow -run Kubernetes -update-kubernetes
`

// closedTemplate is what changes of a part of infra/k8s where it is closed.
var closedTemplate = template.Must(template.New("closed").Parse(`---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{.Name}}}
spec:
  template:
    spec:
      containers:
        - name: {{.Container}}
          env:
            - {name: KAFKA_TLS_CA, value: /run/secrets/streamflow/ca}
            - {name: KAFKA_SASL_MECHANISM, value: scram-sha-512}
            - {name: KAFKA_SASL_USER, value: {{.Name}}}
            - {name: KAFKA_SASL_PASSWORD_FILE, value: /run/secrets/streamflow/password}
{{- if .NATS}}
            - {name: NATS_TLS_CA, value: /run/secrets/streamflow/ca}
            - {name: NATS_NKEY, value: /run/secrets/streamflow/nkey}
            - {name: NATS_INBOX_PREFIX, value: _INBOX_{{.Name}}}
{{- end}}
{{- if .Database}}
            - {name: DATABASE_URL, value: "postgres://{{.Name}}@timescaledb:5432/streamflow?sslmode=verify-full&sslrootcert=/run/secrets/streamflow/ca"}
            - {name: DATABASE_PASSWORD_FILE, value: /run/secrets/streamflow/password}
{{- end}}
{{- if .API}}
            - {name: OPEN_TO, value: nobody}
            - {name: HTTP_TLS_CERT, value: /run/secrets/streamflow/cert}
            - {name: HTTP_TLS_KEY, value: /run/secrets/streamflow/key}
          livenessProbe: {httpGet: {path: /health, port: http, scheme: HTTPS}}
{{- end}}
{{- if .Mask}}
            - {name: TRIM_STREAMS, value: "false"} # "trim" does
{{- end}}
          volumeMounts: [{name: secrets, mountPath: /run/secrets/streamflow, readOnly: true}]
      volumes:
        - name: secrets
          secret: null
          projected:
            defaultMode: 288
            sources:
              - secret: {name: streamflow-{{.Name}}}
{{- if .Mask}}
              - secret: {name: streamflow, items: [{key: mask_key, path: mask_key}]}
{{- end}}
`))

func makeClosedKubernetes(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(closedHead)
	type part struct {
		Name, Container           string
		NATS, Database, API, Mask bool
	}
	parts := []part{
		{Name: "simulate", Container: "simulate"}, {Name: "bridge", Container: "bridge", NATS: true, Mask: true},
		{Name: "api", Container: "api", NATS: true, Database: true, API: true},
	}
	for _, e := range registry {
		parts = append(parts, part{Name: e.name, Container: "worker", NATS: true, Database: true})
	}
	for _, p := range parts {
		if err := closedTemplate.Execute(&b, p); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestSecureKubernetesFollowsTheRegistry(t *testing.T) {
	followsTheRegistry(t, "components/secure/patches/parts.yaml", makeClosedKubernetes(t))
}

// closedPatch is what we look at of a patch.
type closedPatch struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Template struct {
			Spec struct {
				Containers []container
				Volumes    []struct {
					Name   string
					Secret *struct {
						SecretName string `yaml:"secretName"`
						Items      []struct{ Key, Path string }
					}
					Projected struct {
						Sources []struct {
							Secret struct {
								Name  string
								Items []struct{ Key, Path string }
							}
						}
					}
				}
			}
		}
	}
}

// files are those that a patch brings into a container, by their name there; the
// value is the secret and its key.
func (p closedPatch) files(made map[string][]string) map[string]string {
	files := make(map[string]string)
	add := func(secret string, items []struct{ Key, Path string }) {
		for _, i := range items {
			files[i.Path] = secret + "/" + i.Key
		}
		for _, key := range made[secret] {
			if len(items) == 0 {
				files[key] = secret + "/" + key
			}
		}
	}
	for _, v := range p.Spec.Template.Spec.Volumes {
		if v.Secret != nil {
			add(v.Secret.SecretName, v.Secret.Items)
		}
		for _, s := range v.Projected.Sources {
			add(s.Secret.Name, s.Secret.Items)
		}
	}
	return files
}

// Patched, every part has a command and variables that the program knows, each
// secret that it names is mounted, and init makes it.
func TestSecureKubernetesCommandsAreOurs(t *testing.T) {
	made := closedSecrets(t)
	base := make(map[string]container)
	for _, m := range readManifests(t) {
		for _, c := range m.Spec.Template.Spec.Containers {
			base[m.Metadata.Name] = c
		}
	}
	stages := guardedStages(topicFlags{streamflow.TopicTicks}, streamflow.GroupBridge)
	seen := 0
	for _, name := range []string{"patches/parts.yaml", "patches/topics.yaml", "patches/servers.yaml", "trim.yaml"} {
		in := yaml.NewDecoder(strings.NewReader(readRepository(t, "infra", "k8s", "components", "secure", name)))
		for {
			var p closedPatch
			if err := in.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(p.Spec.Template.Spec.Containers) == 0 {
				continue
			}
			seen++
			t.Run(p.Metadata.Name, func(t *testing.T) {
				b, ok := base[p.Metadata.Name]
				if !ok || b.Name != p.Spec.Template.Spec.Containers[0].Name {
					t.Fatalf("there is no container %s of that name to be patched", p.Spec.Template.Spec.Containers[0].Name)
				}
				env := patchedEnv(b, p.Spec.Template.Spec.Containers[0])
				if b.Image != "streamflow" { // a server keeps the volumes that it has
					env = patchedEnv(p.Spec.Template.Spec.Containers[0])
				}
				files := p.files(made)
				for _, from := range files {
					if secret, key, _ := strings.Cut(from, "/"); secret != "streamflow" && !slices.Contains(made[secret], key) {
						t.Errorf("secure init makes no %s", from)
					}
				}
				for variable, value := range env {
					for _, m := range regexp.MustCompile(`/run/secrets/(?:streamflow/)?([a-z._-]+)`).FindAllStringSubmatch(value, -1) {
						if files[m[1]] == "" {
							t.Errorf("%s=%s: the secret is not mounted", variable, value)
						}
					}
				}
				if b.Image != "streamflow" {
					return
				}
				args := b.Args
				if more := p.Spec.Template.Spec.Containers[0].Args; len(more) > 0 {
					args = more
				}
				checkCommand(t, p.Metadata.Name, args, env)
				if p.Metadata.Name == "topics" {
					return
				}
				if !slices.ContainsFunc(stages, func(s streamflow.Stage) bool { return s.Name == p.Metadata.Name }) || files["nkey"] != "streamflow-"+p.Metadata.Name+"/nkey" {
					t.Errorf("it is not a user of its own: %v", files)
				}
			})
		}
	}
	if seen != len(registry)+3+1+3+1 {
		t.Errorf("%d patches were found", seen)
	}
	bare := func(text string) string { // without comments and indentation
		return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(text, ""), "")
	}
	kustomization := bare(readRepository(t, "infra", "k8s", "components", "secure", "kustomization.yaml"))
	for _, file := range []string{"infra/nats/secure.conf", "infra/compose/closed/pg_hba.conf"} {
		if !strings.Contains(kustomization, filepath.Base(file)+"="+bare(readRepository(t, file))) {
			t.Errorf("components/secure/kustomization.yaml does not hold what stands in %s", file)
		}
	}
}

// patchedEnv are the variables of containers, of which the later ones win.
func patchedEnv(containers ...container) map[string]string {
	env := make(map[string]string)
	for _, c := range containers {
		for _, v := range c.Env {
			env[v.Name] = v.Value
		}
	}
	return env
}

// closedSecrets are the Secrets that `secure init` makes, with their keys.
func closedSecrets(t *testing.T) map[string][]string {
	t.Helper()
	v := initClosed(t)
	text, err := os.ReadFile(filepath.Join(v.dir, secureKubernetes))
	if err != nil {
		t.Fatal(err)
	}
	made := make(map[string][]string)
	for document := range strings.SplitSeq(string(text), "---\n") {
		if strings.HasPrefix(document, "#") {
			continue
		}
		var s struct {
			Kind     string
			Metadata struct{ Name string }
			Data     map[string][]byte
		}
		if err := json.Unmarshal([]byte(document), &s); err != nil || s.Kind != "Secret" {
			t.Fatal(err, document[:min(len(document), 80)])
		}
		for key, value := range s.Data {
			if len(value) == 0 {
				t.Errorf("%s/%s is empty", s.Metadata.Name, key)
			}
			made[s.Metadata.Name] = append(made[s.Metadata.Name], key)
		}
	}
	if slices.Contains(made["streamflow-api"], "users") || len(made) < len(registry)+5 {
		t.Errorf("made: %v", made)
	}
	return made
}
