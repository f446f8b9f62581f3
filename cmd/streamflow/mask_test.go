package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMaskKey(t *testing.T) {
	t.Setenv("DATA_DIR", t.TempDir())
	if _, err := (maskFlags{}).mask(); err == nil || !strings.Contains(err.Error(), "set MASK_KEY") || !strings.Contains(err.Error(), "MASK_KEY_FILE") {
		t.Errorf("without a key: %v", err)
	}
	if _, err := (maskFlags{MaskKey: "short"}).mask(); err == nil || !strings.Contains(err.Error(), "MASK_KEY: ") {
		t.Errorf("a short key: %v", err)
	}
	if _, err := (maskFlags{MaskKeyFile: "none"}).mask(); err == nil || !strings.Contains(err.Error(), "MASK_KEY_FILE: ") {
		t.Errorf("a file that is not there: %v", err)
	}
	const key = "0123456789abcdef"
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := maskFlags{MaskKey: key}.mask()
	if err != nil {
		t.Fatal(err)
	}
	read, err := maskFlags{MaskKeyFile: file}.mask()
	if err != nil || read.Text("a@b") != set.Text("a@b") {
		t.Errorf("the file has another key: %v", err)
	}
}

// `up` makes a key once, and who works on the same data finds it.
func TestKeyIsKept(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DATA_DIR", dir)
	var masks []string
	for range 2 {
		var f maskFlags
		if err := f.keepKey(dir); err != nil {
			t.Fatal(err)
		}
		mask, err := f.mask()
		if err != nil {
			t.Fatal(err)
		}
		masks = append(masks, mask.Text("a@b"))
	}
	other, err := (maskFlags{}).mask()
	if err != nil || masks[0] != masks[1] || other.Text("a@b") != masks[0] {
		t.Errorf("masks %v, %v", masks, err)
	}
	info, err := os.Stat(filepath.Join(dir, maskFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	f := maskFlags{MaskKey: "of somebody's own"}
	if err := f.keepKey(t.TempDir()); err != nil || f.MaskKeyFile != "" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestRoutesOfTheBridge(t *testing.T) {
	for list, want := range map[string]int{"": 1, "events": 2, "events,user-events": 3} {
		routes, err := bridgeFlags{EventTopics: strings.Split(list, ",")}.routes("my_ticks")
		if err != nil || len(routes) != want || routes[0].Topic != "my_ticks" {
			t.Errorf("%q: %v, %v", list, routes, err)
		}
	}
	if _, err := (bridgeFlags{EventTopics: []string{"orders"}}).routes("t"); err == nil || !strings.Contains(err.Error(), "orders") {
		t.Errorf("a topic that has no route: %v", err)
	}
}
