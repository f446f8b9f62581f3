//go:build unix

package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"streamflow"
)

// nodeVariable has the test's program be a node of a cluster of NATS: its name,
// the port of its routes, the directory and the routes to all nodes. A node that
// is a process can be stopped and go on, as one whose disk or network stands.
const nodeVariable = "STREAMFLOW_TEST_NATS_NODE"

// nodeOptions reads the variable.
func nodeOptions(text string) (*natsd.Options, error) {
	fields := strings.Fields(text)
	port, err := strconv.Atoi(fields[1])
	if err != nil {
		return nil, err
	}
	return &natsd.Options{
		ServerName: fields[0], Host: "127.0.0.1", Port: natsd.RANDOM_PORT, JetStream: true, StoreDir: fields[2], NoSigs: true, NoLog: true,
		Cluster: natsd.ClusterOpts{Name: "ward", Host: "127.0.0.1", Port: port}, Routes: natsd.RoutesFromStr(fields[3]),
	}, nil
}

// beNode is the node's main program. It says where it listens.
func beNode(text string) error {
	o, err := nodeOptions(text)
	if err != nil {
		return err
	}
	s, err := natsd.NewServer(o)
	if err != nil {
		return err
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	s.Start()
	if !s.ReadyForConnections(5 * time.Minute) {
		return fmt.Errorf("%s does not listen", o.ServerName)
	}
	<-told
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

// natsNodes are three nodes of NATS: two in this process, the third one of its own.
type natsNodes struct {
	t     *testing.T
	urls  []string // of the two
	third string   // its variable
}

func newNATSNodes(t *testing.T) *natsNodes {
	t.Helper()
	n := &natsNodes{t: t}
	var all, settings []string
	for i := range 3 {
		_, port, err := net.SplitHostPort(freeAddr(t))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, (&url.URL{Scheme: "nats", Host: "127.0.0.1:" + port}).String())
		settings = append(settings, fmt.Sprintf("node-%d %s %s ", i, port, t.TempDir()))
	}
	for i := range settings {
		settings[i] += strings.Join(all, ",")
	}
	n.third = settings[2]
	for _, text := range settings[:2] {
		o, err := nodeOptions(text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := natsd.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		if !s.ReadyForConnections(time.Minute) {
			t.Fatalf("%s does not listen", s.Name())
		}
		n.urls = append(n.urls, s.ClientURL())
	}
	return n
}

// start starts the third node and returns what sends it a signal; it is dead
// when the test ends.
func (n *natsNodes) start() (send func(os.Signal)) {
	n.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), nodeVariable+"="+n.third), os.Stderr
	dieWithUs(cmd)
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // see dieWithUs
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	return func(s os.Signal) {
		n.t.Helper()
		if err := cmd.Process.Signal(s); err != nil {
			n.t.Fatal(err)
		}
		if s == syscall.SIGTERM {
			<-ended
		}
	}
}

// write puts n ticks into the stream, however long it is without a leader.
func (n *natsNodes) write(ticks int) {
	n.t.Helper()
	nc, err := nats.Connect(strings.Join(n.urls, ","), nats.MaxReconnects(-1))
	if err != nil {
		n.t.Fatal(err)
	}
	defer nc.Close()
	deadline := time.Now().Add(2 * time.Minute)
	for i := 0; i < ticks; {
		if m, err := nc.Request(streamflow.TickSubject("AAPL"), []byte("{}"), 5*time.Second); err == nil && strings.Contains(string(m.Data), `"seq"`) {
			i++
		} else if time.Now().After(deadline) {
			n.t.Fatalf("%d of %d ticks are written: %v", i, ticks, err)
		}
	}
}

// TestDoctorReplica: a node that stands still while its stream is written to is
// told as one that is behind, one that is away as offline, and neither when it
// has caught up. Of Kafka and the database, which are not there, nothing is said
// but that.
func TestDoctorReplica(t *testing.T) {
	n := newNATSNodes(t)
	send := n.start()
	w := &ward{t: t}
	c := &parse(t, "doctor", "--kafka", "127.0.0.1:1", "--nats", strings.Join(n.urls, ","), "--database", "postgres://x@127.0.0.1:1/x",
		"--replication", "3", "--watch", "0s", "--data-dir", t.TempDir()).Doctor
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) { // until they have a leader
		js, err := c.natsFlags.connect("test", slog.New(slog.DiscardHandler))
		if err == nil {
			_, err = js.Ensure(t.Context(), c.limits())
			js.Close()
		}
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	const ticks = "stream " + streamflow.StreamTicks
	healthy := func(d *diagnosis) bool {
		for _, f := range d.Findings {
			if strings.HasPrefix(f.Check, "stream ") {
				return false
			}
		}
		return d.is("nats streams", verdictOK, "are as they should be", "")
	}
	w.until("three replicas in step", c, healthy)

	send(syscall.SIGSTOP)
	n.write(50)
	d := w.until("the third is behind", c, func(d *diagnosis) bool {
		return d.is(ticks, verdictWarn, "of its 3 replicas, node-2 is ", "look at its disk and network") && d.is(ticks, verdictWarn, " operations behind", "")
	})
	t.Logf("\n%s", d.text())
	send(syscall.SIGCONT)
	w.until("it has caught up", c, healthy)

	send(syscall.SIGTERM)
	n.write(50)
	w.until("the third is away", c, func(d *diagnosis) bool {
		return d.is(ticks, verdictWarn, "of its 3 replicas, node-2 is offline", "Start the server")
	})
	n.start()
	w.until("it is back", c, healthy)
}
