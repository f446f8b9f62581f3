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

	"streamflow"
)

// partNames are the processes of the system, in the order of the data: all of
// it in one, with PostgreSQL as its child, or each part apart.
var partNames = []string{"up", "kafka", "nats", "postgres", "bridge", "archive", "api"}

// system is the embedded system.
type system struct {
	s     servers
	http  string
	parts map[string]*benchPart
}

// benchPart is one process.
type benchPart struct {
	cmd  *exec.Cmd // nil for a child of another one
	pid  int
	peak float64 // MB
	last bytes.Buffer
}

// partUsage is what a part took.
type partUsage struct {
	CPU    float64 `json:"cpu_seconds"`
	PeakMB float64 `json:"peak_mb"`
}

// startSystem starts everything, in one process or apart, its Kafka with or
// without sync, and returns when the API is ready. The system is never nil, and must be stopped.
func startSystem(ctx context.Context, dir string, apart, sync bool, log *slog.Logger) (*system, error) {
	ports, err := freePorts()
	if err != nil {
		return &system{}, err
	}
	y := &system{parts: make(map[string]*benchPart), http: ports[3]}
	y.s.Brokers, y.s.Topic, y.s.NATS = ports[0], streamflow.TopicTicks, "nats://"+ports[1]
	y.s.Database = "postgres://streamflow@" + ports[2] + "/streamflow?sslmode=disable"
	env := append(os.Environ(), "DATA_DIR="+dir, "KAFKA_ADDR="+ports[0], "NATS_ADDR="+ports[1], "POSTGRES_ADDR="+ports[2],
		"HTTP_ADDR="+ports[3], "LOG_LEVEL=warn", fmt.Sprintf("KAFKA_SYNC=%t", sync), "MASK_KEY=of a benchmark only")
	if apart {
		err = y.startApart(ctx, env, log)
	} else {
		err = y.start("up", env, "up", "--no-simulate", "--kafka=", "--nats=", "--database=")
	}
	if err == nil {
		err = y.await(ctx, func() error { return ready("http://" + y.http + "/ready") })
	}
	if err == nil && !apart {
		y.findPostgres()
	}
	return y, err
}

func (y *system) startApart(ctx context.Context, env []string, log *slog.Logger) error {
	env = append(env, "KAFKA_BOOTSTRAP_SERVERS="+y.s.Brokers, "NATS_URL="+y.s.NATS, "DATABASE_URL="+y.s.Database)
	for _, name := range []string{"kafka", "nats", "postgres"} {
		if err := y.start(name, env, "serve", name); err != nil {
			return err
		}
	}
	if err := y.prepare(ctx, log); err != nil {
		return err
	}
	for name, args := range map[string][]string{"bridge": {"bridge"}, "archive": {"worker", "archive"}, "api": {"api"}} {
		if err := y.start(name, env, args...); err != nil {
			return err
		}
	}
	return nil
}

// findPostgres makes the server that the one process has started a part of its own.
func (y *system) findPostgres() {
	up := y.parts["up"]
	if children := children(up.pid); len(children) > 0 {
		y.parts["postgres"] = &benchPart{pid: children[0]}
	}
}

func (y *system) start(name string, env []string, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := &benchPart{cmd: exec.Command(self, args...)}
	c.cmd.Env, c.cmd.Stderr = env, &c.last
	// Ctrl-C is for us; we stop them in order.
	c.cmd.SysProcAttr = ownGroup()
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.pid = c.cmd.Process.Pid
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
	for i := len(partNames) - 1; i >= 0; i-- {
		c := y.parts[partNames[i]]
		if c == nil || c.cmd == nil {
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
	used := map[string]float64{"load": cpuSeconds(os.Getpid(), false)}
	for name, c := range y.parts {
		used[name] = cpuSeconds(c.pid, name != "up")
	}
	return used
}

// sample notes how much memory each part takes now.
func (y *system) sample() {
	for name, c := range y.parts {
		c.peak = max(c.peak, memoryMB(c.pid, name != "up"))
	}
}

func (y *system) usageSince(before map[string]float64) map[string]partUsage {
	all := make(map[string]partUsage)
	for name, now := range y.usage() {
		u := partUsage{CPU: now - before[name]}
		if c := y.parts[name]; c != nil {
			u.PeakMB = c.peak
		} else {
			u.PeakMB = memoryMB(os.Getpid(), false)
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
