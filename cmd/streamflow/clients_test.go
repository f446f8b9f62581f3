package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The Go client that oapi-codegen generates from docs/openapi.json compiles, and
// its round trip of a running system (testdata/client) ends well. That of the
// TypeScript client is ui/e2e/wire.spec.ts.
func TestGeneratedGoClient(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/client")); err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "openapi.json"), document, 0o644); err != nil {
		t.Fatal(err)
	}
	r := newOpsRig(t)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // the generator may have to be downloaded and compiled
	defer cancel()
	for _, args := range [][]string{{"generate", "."}, {"vet", "."}, {"test", "-count=1", "."}} {
		run := exec.CommandContext(ctx, "go", args...)
		run.Dir = dir
		run.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly", "STREAMFLOW_URL="+r.url)
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
}
