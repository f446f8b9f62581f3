//go:build ops

package k8s_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Schemas and tools come as Go modules, pinned here: nothing is asked of a
// cluster or of GitHub.
const (
	kubernetes  = "k8s.io/kubernetes@v1.34.2"
	keda        = "github.com/kedacore/keda/v2@v2.21.0"
	kustomize   = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"
	kubeconform = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0"
)

// kinds are those that the overlays hold, by the name that kubeconform asks for.
var kinds = map[string]string{
	"deployment-apps-v1":            "io.k8s.api.apps.v1.Deployment",
	"statefulset-apps-v1":           "io.k8s.api.apps.v1.StatefulSet",
	"job-batch-v1":                  "io.k8s.api.batch.v1.Job",
	"service-v1":                    "io.k8s.api.core.v1.Service",
	"configmap-v1":                  "io.k8s.api.core.v1.ConfigMap",
	"serviceaccount-v1":             "io.k8s.api.core.v1.ServiceAccount",
	"networkpolicy-networking-v1":   "io.k8s.api.networking.v1.NetworkPolicy",
	"poddisruptionbudget-policy-v1": "io.k8s.api.policy.v1.PodDisruptionBudget",
	"scaledobject-keda-v1alpha1":    "sh.keda.v1alpha1.ScaledObject",
}

// The overlays are what Kubernetes and KEDA take, to the last member.
func TestOverlaysFitTheSchemas(t *testing.T) {
	dir := t.TempDir()
	definitions := readDefinitions(t, dir)
	write := func(name string, v any) {
		text, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".json"), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("definitions", map[string]any{"definitions": definitions})
	for name, definition := range kinds {
		write(name, map[string]any{"$ref": "definitions.json#/definitions/" + definition})
	}
	for _, overlay := range []string{"dev", "production", "secure"} {
		path, err := filepath.Abs(filepath.Join("overlays", overlay))
		if err != nil {
			t.Fatal(err)
		}
		if overlay == "production" {
			path = withComponent(t, path, "schema-registry")
		}
		rendered := filepath.Join(dir, overlay+".yaml")
		if err := os.WriteFile(rendered, tool(t, dir, kustomize, "build", path), 0o644); err != nil {
			t.Fatal(err)
		}
		out := tool(t, dir, kubeconform, "-strict", "-summary", "-schema-location", dir+"/{{ .ResourceKind }}{{ .KindSuffix }}.json", rendered)
		t.Logf("%s: %s", overlay, strings.TrimSpace(string(out)))
		broken := filepath.Join(dir, overlay+"-broken.yaml")
		text, err := os.ReadFile(rendered)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(broken, []byte(strings.ReplaceAll(string(text), "readOnlyRootFilesystem", "readOnlyRootFileSystem")), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := run(dir, kubeconform, "-strict", "-schema-location", dir+"/{{ .ResourceKind }}{{ .KindSuffix }}.json", broken); err == nil {
			t.Errorf("%s: a misspelt member is not seen: %s", overlay, out)
		}
	}
}

// What a trigger says is what KEDA's scaler of JetStream reads, which the schema
// leaves open.
func TestTriggersFitTheScaler(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(module(t, t.TempDir(), keda), "pkg", "scalers", "nats_jetstream_scaler.go"))
	if err != nil {
		t.Fatal(err)
	}
	must := make(map[string]bool) // by what it reads
	for _, m := range regexp.MustCompile("`keda:\"name=(\\w+)([^`]*)\"`").FindAllStringSubmatch(string(source), -1) {
		must[m[1]] = !strings.Contains(m[2], "optional") && !strings.Contains(m[2], "default=")
	}
	if len(must) < 5 {
		t.Fatalf("the scaler reads %v", must)
	}
	text, err := os.ReadFile(filepath.Join("components", "keda", "scaledobjects.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var object struct {
			Spec struct {
				Triggers []struct {
					Type     string
					Metadata map[string]string
				}
			}
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		for _, trigger := range object.Spec.Triggers {
			seen++
			for name := range trigger.Metadata {
				if _, ok := must[name]; !ok || trigger.Type != "nats-jetstream" {
					t.Errorf("a trigger %s says %s, which it does not read", trigger.Type, name)
				}
			}
			for name, needed := range must {
				if needed && trigger.Metadata[name] == "" {
					t.Errorf("a trigger says nothing of %s: %v", name, trigger.Metadata)
				}
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d triggers were found", seen)
	}
}

// withComponent is an overlay of ours with a component more, as somebody would
// write it.
func withComponent(t *testing.T, overlay, component string) string {
	t.Helper()
	dir := t.TempDir()
	from := func(to string) string {
		path, err := filepath.Rel(dir, to)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [" + from(overlay) + "]\ncomponents: [" +
		from(filepath.Join(overlay, "..", "..", "components", component)) + "]\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// readDefinitions reads the definitions of Kubernetes' API and of KEDA's
// resource, and makes them strict.
func readDefinitions(t *testing.T, dir string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(module(t, dir, kubernetes), "api/openapi-spec/swagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var api struct{ Definitions map[string]any }
	if err := json.Unmarshal(text, &api); err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(filepath.Join(module(t, dir, keda), "config/crd/bases/keda.sh_scaledobjects.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema map[string]any `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	api.Definitions["sh.keda.v1alpha1.ScaledObject"] = crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	for _, d := range api.Definitions {
		strict(d)
	}
	return api.Definitions
}

// strict refuses members that a schema does not name, and lets a number or a
// text stand where either may.
func strict(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			strict(e)
		}
	case map[string]any:
		if v["format"] == "int-or-string" {
			v["type"] = []string{"string", "integer"}
			delete(v, "format")
		}
		delete(v, "default") // of the wrong type here and there, and of no use
		_, named := v["properties"].(map[string]any)
		if _, more := v["additionalProperties"]; named && !more && v["x-kubernetes-preserve-unknown-fields"] != true {
			v["additionalProperties"] = false
		}
		if metadata, ok := v["metadata"].(map[string]any); ok && metadata["type"] == "object" && len(metadata) == 1 {
			v["metadata"] = map[string]any{"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
		}
		for _, e := range v {
			strict(e)
		}
	}
}

func module(t *testing.T, dir, name string) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", name)
	cmd.Dir = dir
	out, err := cmd.Output()
	var found struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &found)
	}
	if err != nil {
		t.Fatalf("go mod download %s: %v\n%s", name, err, out)
	}
	return found.Dir
}

func tool(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	out, err := run(dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// run runs a Go tool, outside of our own module.
func run(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", append([]string{"run"}, args...)...)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("go run %s: %w\n%s%s", strings.Join(args, " "), err, out, said.String())
	}
	return out, nil
}
