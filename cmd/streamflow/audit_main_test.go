//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

func TestMain(m *testing.M) {
	if node := os.Getenv(nodeVariable); node != "" {
		if err := beNode(node); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitFailed)
		}
		return
	}
	code := m.Run()
	if dir := binaryDir; dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

var binaryDir string

// program builds the program once, as people get it: it is what the audits kill.
// Where there is nothing to build with, it is there already.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("STREAMFLOW_AUDIT_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "streamflow-audit-bin-")
	if err != nil {
		return "", err
	}
	binaryDir = dir
	path := filepath.Join(dir, "streamflow")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})
