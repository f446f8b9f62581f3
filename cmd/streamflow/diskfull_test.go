//go:build ops && linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"streamflow/api"
	"streamflow/infra/embedded"
)

// smallDisk mounts a file system of so many bytes, which ends with the test.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "streamflow-disk-")
	if err != nil {
		t.Fatal(err)
	}
	err = syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0755", mib))
	if err != nil {
		_ = os.Remove(dir)
		t.Fatalf("mount a file system of %d MiB: %v: this test needs root, with CAP_SYS_ADMIN", mib, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
		_ = os.Remove(dir)
	})
	return dir
}

// ballast fills a disk until nothing more goes on it, and returns what empties it.
func ballast(t *testing.T, dir string) (free func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	piece := make([]byte, 64<<10)
	pace := time.NewTicker(time.Millisecond) // 64 MB a second, as a disk takes them
	defer pace.Stop()
	for err == nil {
		<-pace.C
		_, err = f.Write(piece)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(f.Name()); err != nil {
			t.Error(err)
		}
	}
}

// TestDiskFull: somebody fills the disk to the last byte while ticks flow. What
// was not stored is not said to be; what was is there; it is said where and what
// to do; and when there is space again all goes on by itself, and nothing is
// lost, doubled or wrong.
func TestDiskFull(t *testing.T) {
	disk := smallDisk(t, 512)
	data := filepath.Join(disk, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Run("it becomes full", func(t *testing.T) { becomesFull(t, disk, data) })
	t.Run("it is started again", func(t *testing.T) { equalSystem(t, newOpsRig(t, "--data-dir", data, "--keep-bytes", "67108864").s) })
}

func becomesFull(t *testing.T, disk, data string) {
	said := &warnings{}
	r := newLoggedOpsRig(t, slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelInfo})),
		"--data-dir", data, "--keep-bytes", "67108864")
	if status, text := r.call("PUT", "/api/rules/high", `{"symbol":"*","when":"price crosses above 120"}`, nil); status >= 300 {
		t.Fatal(status, text)
	}
	f := flow(t, r.s, 0)
	f.more(t, 100)
	equalSoon(t, r)

	free := ballast(t, disk)
	began := time.Now()
	waitFor(t, "/ready says that the disk is full", func() bool {
		status, text := r.call("GET", "/ready", "", nil)
		return status == http.StatusServiceUnavailable && strings.Contains(text, "the disk of "+data) && strings.Contains(text, "DISK_RESERVE")
	})
	t.Logf("said so after %s", time.Since(began).Round(time.Millisecond))
	waitFor(t, "the log says where and what to do", func() bool {
		text := strings.Join(said.lines(), "\n")
		return strings.Contains(text, "the disk is full") && strings.Contains(text, data) && strings.Contains(text, "KEEP_BYTES")
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := fmt.Sprintf(`{"ticks":[{"symbol":"FULL","price":1,"volume":1,"timestamp":%q}]}`, time.Now().UTC().Format(time.RFC3339))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/api/ticks", strings.NewReader(tick))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if response, err := r.client.Do(request); err == nil {
		if response.StatusCode < 500 {
			t.Errorf("a tick was taken that there is no place for: %s", response.Status)
		}
		response.Body.Close()
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		select {
		case <-f.stopped:
			t.Fatal("the producer gave up")
		default:
		}
	}

	free()
	began = time.Now()
	waitFor(t, "/ready says that all is well", func() bool {
		var ready api.Readiness
		status, _ := r.call("GET", "/ready", "", &ready)
		return status == http.StatusOK && ready.Ready
	})
	f.more(t, 100)
	f.end()
	equalSystem(t, r.s)
	t.Logf("all went on and is equal %s after there was space", time.Since(began).Round(time.Millisecond))
	for _, line := range said.lines() {
		for _, broken := range []string{"Critical write error", "persist batch", "PANIC", "has ended"} {
			if strings.Contains(line, broken) {
				t.Errorf("a server came to a write that failed: %s", line)
			}
		}
	}
	if t.Failed() {
		t.Log(strings.Join(said.lines(), "\n"))
	}
}

// TestDiskFullAtOnce: the disk of JetStream is full from one moment to the next
// and nothing is kept in reserve, so that writes fail in the middle. It is started
// again by itself when there is space, and nothing is lost or doubled.
func TestDiskFullAtOnce(t *testing.T) {
	disk := smallDisk(t, 512)
	said := &warnings{}
	log := slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelInfo}))
	n, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: filepath.Join(disk, "nats"), Reserve: -1, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(strings.Join(said.lines(), "\n"))
		}
	})
	r := newLoggedOpsRig(t, log, "--nats", n.URL(), "--keep-bytes", "67108864")
	if status, text := r.call("PUT", "/api/rules/high", `{"symbol":"*","when":"price crosses above 120"}`, nil); status >= 300 {
		t.Fatal(status, text)
	}
	f := flow(t, r.s, 0)
	f.more(t, 100)
	equalSoon(t, r)
	for round := range 2 { // it is not mended once only
		first := n.Server()
		free := fill(t, disk)
		has := func(words string) func() bool {
			return func() bool { return strings.Count(strings.Join(said.lines(), "\n"), words) > round }
		}
		waitFor(t, "a write fails", has("JetStream came to a write that failed"))
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if n.Server() != first {
				t.Fatal("it is started again on a full disk")
			}
		}
		free()
		began := time.Now()
		waitFor(t, "NATS is started again", has("NATS was started again"))
		f.more(t, 100)
		t.Logf("it takes ticks again %s after there was space", time.Since(began).Round(time.Millisecond))
	}
	f.end()
	equalSystem(t, r.s)
}

// fill fills a disk at once.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		var s syscall.Statfs_t
		if err := syscall.Statfs(dir, &s); err != nil {
			t.Fatal(err)
		}
		if s.Bavail == 0 {
			return func() {
				if err := os.Remove(f.Name()); err != nil {
					t.Error(err)
				}
			}
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		// By halves: others take of it meanwhile, and what does not fit is given back whole.
		if err := syscall.Fallocate(int(f.Fd()), 0, info.Size(), int64(s.Bavail+1)/2*s.Bsize); err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// equalSoon waits until some ticks are stored.
func equalSoon(t *testing.T, r *opsRig) {
	t.Helper()
	waitFor(t, "candles are stored", func() bool { return scalar[int64](t, r.s, `SELECT count(*) FROM candles`) > 0 })
}

// waitFor asks again and again.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within a minute", what)
}
