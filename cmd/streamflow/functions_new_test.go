package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What `functions new` lays out must compile, pass its test and be in the
// registry: it is built over the source without being written into it.
func TestNewFunctionWorks(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mine", "my-own2"} {
		dir := t.TempDir()
		source(t, root, dir)
		files, err := layOut(dir, name)
		if err != nil || len(files) != 3 {
			t.Fatal(files, err)
		}
		replace := make(map[string]string)
		for _, f := range files {
			replace[filepath.Join(root, f)] = filepath.Join(dir, f)
		}
		overlay := filepath.Join(dir, "overlay.json")
		data, err := json.Marshal(map[string]any{"Replace": replace})
		if err == nil {
			err = os.WriteFile(overlay, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		binary := filepath.Join(dir, "own.test")
		for _, args := range [][]string{
			// In two steps, and without vet, for its directory is not there to enter.
			{"go", "test", "-c", "-vet=off", "-o", binary, "-overlay", overlay, "streamflow/functions/" + name},
			{binary},
			{"go", "build", "-o", os.DevNull, "-overlay", overlay, "streamflow/cmd/streamflow"},
		} {
			cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
			cmd.Dir = root
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
			}
		}
		registry, err := os.ReadFile(filepath.Join(dir, registryFile))
		if pkg := strings.ReplaceAll(name, "-", ""); err != nil || !strings.Contains(string(registry), "own("+pkg+".New),") {
			t.Errorf("the registry has no line for %s (%v)", name, err)
		}
	}
}

// source copies what layOut looks at.
func source(t *testing.T, root, dir string) {
	t.Helper()
	for _, name := range []string{"go.mod", registryFile} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewFunctionRefuses(t *testing.T) {
	root, dir := filepath.Join("..", ".."), t.TempDir()
	source(t, root, dir)
	if _, err := layOut(dir, "twice"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"":        "want a letter",
		"Mine":    "want a letter",
		"../mine": "want a letter",
		"candles": "there is a function candles",
		"twice":   "is there already",
	} {
		if _, err := layOut(dir, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", name, err, want)
		}
	}
	if _, err := layOut(t.TempDir(), "mine"); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("got %v", err)
	}
	// A registry that has been written anew by hand is left alone.
	if err := os.WriteFile(filepath.Join(dir, registryFile), []byte("package main\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := layOut(dir, "other"); err == nil || !strings.Contains(err.Error(), "own(other.New)") {
		t.Errorf("got %v, want what to add", err)
	}
}
