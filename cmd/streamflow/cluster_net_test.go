//go:build cluster && linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// network is a network of hosts, each a namespace of its own with a link to a
// bridge, where the tests themselves are. infra/stack/cluster has made the
// namespace around it, in which all of this may be done and outside of which
// nothing is seen.
type network struct {
	t     *testing.T
	addrs map[string]string // by host
}

// newNetwork makes the hosts and lets all know their names.
func newNetwork(t *testing.T, hosts []string) *network {
	t.Helper()
	n := &network{t: t, addrs: make(map[string]string)}
	n.ip("link", "add", "hub", "type", "bridge")
	n.ip("addr", "add", "10.77.0.1/24", "dev", "hub")
	n.ip("link", "set", "hub", "up")
	names := "127.0.0.1 localhost\n"
	for i, host := range hosts {
		n.addrs[host] = fmt.Sprintf("10.77.0.%d", 10+i)
		names += n.addrs[host] + " " + host + "\n"
		n.ip("netns", "add", host)
		n.ip("link", "add", port(host), "master", "hub", "up", "type", "veth", "peer", "name", "eth0", "netns", host)
		n.ip("-n", host, "addr", "add", n.addrs[host]+"/24", "dev", "eth0")
		n.ip("-n", host, "link", "set", "eth0", "up")
		n.ip("-n", host, "link", "set", "lo", "up")
	}
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte(names), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(file, "/etc/hosts", "", syscall.MS_BIND, ""); err != nil {
		t.Fatalf("put %s in the place of /etc/hosts: %v", file, err)
	}
	t.Cleanup(func() { _ = syscall.Unmount("/etc/hosts", syscall.MNT_DETACH) })
	return n
}

func (n *network) ip(args ...string) {
	n.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// port is the hub's end of a host's link.
func port(host string) string { return "to-" + host }

// on returns the words before a command that runs it on a host. The command is
// the process that is started, not a child of it.
func (n *network) on(host string) []string { return []string{"ip", "netns", "exec", host} }

// cut pulls the plug of a host: what is sent to it or by it is lost, and nobody
// is told.
func (n *network) cut(host string)  { n.ip("link", "set", port(host), "down") }
func (n *network) mend(host string) { n.ip("link", "set", port(host), "up") }

// part loses what a host and others send each other, and nothing else: clients
// speak with both sides. Each takes the other for a card that is not there, so
// that neither is told.
func (n *network) part(host string, others []string) {
	n.t.Helper()
	for _, other := range others {
		for _, way := range [][2]string{{host, other}, {other, host}} {
			n.ip("-n", way[0], "neigh", "replace", n.addrs[way[1]], "lladdr", "02:00:00:00:00:01", "nud", "permanent", "dev", "eth0")
		}
	}
}

func (n *network) rejoin(host string, others []string) {
	n.t.Helper()
	for _, other := range others {
		n.ip("-n", host, "neigh", "del", n.addrs[other], "dev", "eth0")
		n.ip("-n", other, "neigh", "del", n.addrs[host], "dev", "eth0")
	}
}
