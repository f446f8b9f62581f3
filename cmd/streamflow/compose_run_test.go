//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rehearsal runs docker-compose.yml without Docker: its commands as processes,
// in its order, told healthy by its health checks. `serve` stands in for the
// servers' images.
type rehearsal struct {
	t       *testing.T
	file    composeFile
	dir     string
	at      map[string]string // where the servers are, by variable
	metrics map[string]string // where the parts are, by service
	http    map[string]string // where their pages are
	running map[string]*exec.Cmd
	// serve starts what stands in for an image, and returns when it takes connections.
	serve func(name string)
	// address puts this machine's addresses into a variable of a service.
	address func(name, value string) string
	// secret is the file behind a secret.
	secret func(source string) string
}

func TestComposeStartsInItsOrder(t *testing.T) {
	r := newRehearsal(t, readCompose(t))
	r.at = map[string]string{
		"KAFKA_BOOTSTRAP_SERVERS": freeAddr(t), "NATS_URL": "nats://" + freeAddr(t),
		"DATABASE_URL": "postgres://streamflow@" + freeAddr(t) + "/streamflow?sslmode=disable",
	}
	r.serve = r.serveOpen
	r.address = func(name, value string) string {
		if at, ok := r.at[name]; ok {
			return at
		}
		return value
	}
	r.secret = func(source string) string {
		file := filepath.Join(r.dir, source)
		if _, err := os.Stat(file); err == nil {
			return file // who is given it may be reading it
		}
		if err := os.WriteFile(file, []byte("a secret of more than 16 bytes\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	r.startAll()
	r.loseNATS()
}

func newRehearsal(t *testing.T, file composeFile) *rehearsal {
	r := &rehearsal{t: t, file: file, dir: t.TempDir(), metrics: make(map[string]string), http: make(map[string]string), running: make(map[string]*exec.Cmd)}
	if err := os.Chmod(r.dir, 0o755); err != nil { // PostgreSQL may run as another user
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	return r
}

// startAll starts all of profile core.
func (r *rehearsal) startAll() {
	r.t.Helper()
	done := make(map[string]bool)
	for len(r.inOrder(done)) > 0 {
		for _, name := range r.inOrder(done) {
			r.start(name)
			done[name] = true
		}
	}
	if !done["topics"] || !done["api"] || !done["bridge"] || !done["candles"] {
		r.t.Fatalf("only these could start: %v", slices.Sorted(maps.Keys(done)))
	}
}

// inOrder are services of profile core that are not started, and for which all
// that they wait for is.
func (r *rehearsal) inOrder(done map[string]bool) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(r.file.Services)) {
		s := r.file.Services[name]
		if done[name] || !slices.Contains(s.Profiles, "core") {
			continue
		}
		waits := false
		for on := range s.DependsOn {
			waits = waits || slices.Contains(r.file.Services[on].Profiles, "core") && !done[on]
		}
		if !waits {
			names = append(names, name)
		}
	}
	return names
}

// start starts a service and waits until what waits for it may start.
func (r *rehearsal) start(name string) {
	r.t.Helper()
	s := r.file.Services[name]
	if !s.ours() {
		r.serve(name)
		return
	}
	cmd := r.command(s.args(r.t), r.environment(name))
	if s.Healthcheck.Disable {
		if out, err := cmd.CombinedOutput(); err != nil {
			r.t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return
	}
	if out, err := r.health(name); err == nil {
		r.t.Fatalf("%s is said to be healthy before it runs: %s", name, out)
	}
	r.run(name, cmd)
	r.await(name, func() error {
		out, err := r.health(name)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// serveOpen is serve with `streamflow serve`.
func (r *rehearsal) serveOpen(name string) {
	r.t.Helper()
	kind := map[string]string{"kafka": "kafka", "nats": "nats", "timescaledb": "postgres"}[name]
	if kind == "" {
		r.t.Fatalf("nothing stands in for %s", name)
	}
	_, address, _ := strings.Cut(r.at["DATABASE_URL"], "@")
	address, _, _ = strings.Cut(address, "/")
	r.run(name, r.command([]string{"serve", kind}, map[string]string{
		"DATA_DIR": r.dir, "KAFKA_ADDR": r.at["KAFKA_BOOTSTRAP_SERVERS"], "NATS_ADDR": strings.TrimPrefix(r.at["NATS_URL"], "nats://"), "POSTGRES_ADDR": address,
	}))
	r.await(name, func() error {
		out, err := os.ReadFile(filepath.Join(r.dir, name+".log"))
		// It prints where it is when it is ready, as the only line that is no log.
		if err == nil && !slices.ContainsFunc(bytes.Split(out, []byte("\n")), func(line []byte) bool {
			return len(line) > 0 && line[0] != '{' && bytes.Contains(line, []byte(":"))
		}) {
			err = fmt.Errorf("it does not say that it is ready")
		}
		return err
	})
}

// environment is that of a service, with the addresses of this machine.
func (r *rehearsal) environment(name string) map[string]string {
	s := r.file.Services[name]
	env := s.environment()
	for name, value := range env {
		env[name] = r.address(name, value)
		for _, secret := range s.Secrets {
			env[name] = regexp.MustCompile(`/run/secrets/`+secret.Target+`\b`).ReplaceAllString(env[name], r.secret(secret.Source))
		}
	}
	if r.metrics[name] == "" {
		r.metrics[name] = freeAddr(r.t)
	}
	if env["METRICS_ADDR"] != "" {
		env["METRICS_ADDR"] = r.metrics[name]
	}
	if env["HTTP_ADDR"] != "" {
		if r.http[name] == "" {
			r.http[name] = freeAddr(r.t)
		}
		env["HTTP_ADDR"] = r.http[name]
	}
	return env
}

// health runs the health check of a service, once.
func (r *rehearsal) health(name string) ([]byte, error) {
	args := r.file.Services[name].Healthcheck.Test[2:]
	return r.command(args, map[string]string{"METRICS_ADDR": r.environment(name)["METRICS_ADDR"]}).CombinedOutput()
}

// loseNATS takes NATS away: who needs it must not be said to be well.
func (r *rehearsal) loseNATS() {
	r.end("nats")
	for _, name := range []string{"bridge", "candles", "api"} {
		r.await(name, func() error {
			if out, err := r.health(name); err == nil {
				return fmt.Errorf("without NATS its health is: %s", out)
			}
			return nil
		})
		if out, err := r.command([]string{"health", "--alive"}, map[string]string{"METRICS_ADDR": r.metrics[name]}).CombinedOutput(); err != nil {
			r.t.Errorf("%s is not alive without NATS: %v: %s", name, err, out)
		}
	}
	if out, err := r.health("simulate"); err != nil {
		r.t.Errorf("simulate needs no NATS: %v: %s", err, out)
	}
}

func (r *rehearsal) command(args []string, env map[string]string) *exec.Cmd {
	binary, err := program()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(), "LOG_FORMAT=json"}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

func (r *rehearsal) run(name string, cmd *exec.Cmd) {
	r.t.Helper()
	log, err := os.Create(filepath.Join(r.dir, name+".log"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.running[name] = cmd
}

// await tries until ok, for as long as a container would be given.
func (r *rehearsal) await(name string, ok func() error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 90*time.Second)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(r.dir, name+".log"))
			r.t.Fatalf("%s: %v\n%s", name, err, log[max(0, len(log)-4000):])
		}
	}
}

func (r *rehearsal) end(name string) {
	cmd := r.running[name]
	delete(r.running, name)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	gone := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer gone.Stop()
	_ = cmd.Wait()
}

// stop ends the parts before the servers.
func (r *rehearsal) stop() {
	names := slices.Sorted(maps.Keys(r.running))
	for _, name := range names {
		if r.file.Services[name].ours() {
			_ = r.running[name].Process.Kill()
		}
	}
	for _, name := range names {
		r.end(name)
	}
}
