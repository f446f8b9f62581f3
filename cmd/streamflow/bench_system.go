package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// partNames are the processes of the system, in the order of the data.
const partNames = "kafka nats postgres bridge archive api"

// system is the embedded system with each part a process of its own.
type system struct {
	s     servers
	http  string
	parts map[string]*benchPart
}

// benchPart is one process.
type benchPart struct {
	cmd  *exec.Cmd
	peak float64 // MB
	last bytes.Buffer
}

// partUsage is what a part took.
type partUsage struct {
	CPU    float64 `json:"cpu_seconds"`
	PeakMB float64 `json:"peak_mb"`
}

// startSystem starts everything and returns when the API is ready. The system
// is never nil, and must be stopped.
func startSystem(ctx context.Context, dir string, log *slog.Logger) (*system, error) {
	ports, err := freePorts()
	if err != nil {
		return &system{}, err
	}
	y := &system{parts: make(map[string]*benchPart), http: ports[3]}
	y.s.Brokers, y.s.Topic, y.s.NATS = ports[0], "stock_ticks", "nats://"+ports[1]
	y.s.Database = "postgres://streamflow@" + ports[2] + "/streamflow?sslmode=disable"
	env := append(os.Environ(), "DATA_DIR="+dir, "KAFKA_ADDR="+ports[0], "NATS_ADDR="+ports[1], "POSTGRES_ADDR="+ports[2],
		"HTTP_ADDR="+ports[3], "KAFKA_BOOTSTRAP_SERVERS="+y.s.Brokers, "NATS_URL="+y.s.NATS, "DATABASE_URL="+y.s.Database, "LOG_LEVEL=warn")
	for _, name := range []string{"kafka", "nats", "postgres"} {
		if err := y.start(name, env, "serve", name); err != nil {
			return y, err
		}
	}
	if err := y.prepare(ctx, log); err != nil {
		return y, err
	}
	for name, args := range map[string][]string{"bridge": {"bridge"}, "archive": {"worker", "archive"}, "api": {"api"}} {
		if err := y.start(name, env, args...); err != nil {
			return y, err
		}
	}
	return y, y.await(ctx, func() error { return ready("http://" + y.http + "/ready") })
}

func (y *system) start(name string, env []string, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := &benchPart{cmd: exec.Command(self, args...)}
	c.cmd.Env, c.cmd.Stderr = env, &c.last
	// Ctrl-C is for us; we stop them in order.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	y.parts[name] = c
	return nil
}

// prepare makes topics and tables as soon as the servers are there.
func (y *system) prepare(ctx context.Context, log *slog.Logger) error {
	l := layout{streamLayout: streamLayout{Replication: 1, Keep: 24 * time.Hour, KeepBytes: 8 << 30}}
	return y.await(ctx, func() error {
		_, err := l.ensure(ctx, y.s, log)
		return err
	})
}

func (y *system) await(ctx context.Context, try func() error) (err error) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if err = try(); err == nil {
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	for name, c := range y.parts {
		if c.last.Len() > 0 {
			err = fmt.Errorf("%w\n%s said: %s", err, name, strings.TrimSpace(c.last.String()))
		}
	}
	return err
}

func ready(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}

// stop ends the parts, readers before servers.
func (y *system) stop() {
	names := strings.Fields(partNames)
	for i := len(names) - 1; i >= 0; i-- {
		c := y.parts[names[i]]
		if c == nil {
			continue
		}
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(20*time.Second, func() { _ = c.cmd.Process.Kill() })
		_ = c.cmd.Wait()
		kill.Stop()
	}
}

// usage returns the CPU seconds that each part has taken so far.
func (y *system) usage() map[string]float64 {
	used := map[string]float64{"load": cpuSeconds(os.Getpid())}
	for name, c := range y.parts {
		used[name] = cpuSeconds(c.cmd.Process.Pid)
	}
	return used
}

// sample notes how much memory each part takes now.
func (y *system) sample() {
	for _, c := range y.parts {
		c.peak = max(c.peak, memoryMB(c.cmd.Process.Pid))
	}
}

func (y *system) usageSince(before map[string]float64) map[string]partUsage {
	all := make(map[string]partUsage)
	for name, now := range y.usage() {
		u := partUsage{CPU: now - before[name]}
		if c := y.parts[name]; c != nil {
			u.PeakMB = c.peak
		} else {
			u.PeakMB = memoryMB(os.Getpid())
		}
		all[name] = u
	}
	return all
}

// freePorts finds addresses that are free now. They are all held until the last
// one is found, so that no two are the same.
func freePorts() (addrs [4]string, err error) {
	for i := range addrs {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return addrs, err
		}
		defer ln.Close()
		addrs[i] = ln.Addr().String()
	}
	return addrs, nil
}
