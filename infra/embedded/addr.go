package embedded

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// service names a server and the two ways out when its address is taken.
type service struct {
	name     string // as people call it
	flag     string // moves the embedded server
	variable string // uses a running one instead
}

var (
	kafkaService    = service{"Kafka", "--kafka-addr", "KAFKA_BOOTSTRAP_SERVERS"}
	natsService     = service{"NATS", "--nats-addr", "NATS_URL"}
	postgresService = service{"PostgreSQL", "--postgres-addr", "DATABASE_URL"}
)

// ErrAddrInUse is what a Start function wraps when its address is taken.
var ErrAddrInUse = errors.New("address is in use by another process")

// listen takes addr, or says why not and how to go on.
func (s service) listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, s.listenError(addr, err)
	}
	return ln, nil
}

func (s service) listenError(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		err = ErrAddrInUse
	}
	return fmt.Errorf("start %s on %s: %w: choose another address with %s, or use a running %s with %s",
		s.name, addr, err, s.flag, s.name, s.variable)
}

// resolve finds out, by listening for a moment, that addr is free and which
// host and port it stands for (":0" becomes a free port). For the servers that
// insist on listening themselves.
func (s service) resolve(addr string) (host string, port int, err error) {
	ln, err := s.listen(addr)
	if err != nil {
		return "", 0, err
	}
	tcp := ln.Addr().(*net.TCPAddr)
	if err := ln.Close(); err != nil {
		return "", 0, fmt.Errorf("start %s on %s: %w", s.name, addr, err)
	}
	if h, _, err := net.SplitHostPort(addr); err == nil && h == "" {
		return "", tcp.Port, nil // every address, of both families
	}
	return tcp.IP.String(), tcp.Port, nil
}

// dialAddr is where a client on this machine reaches a server on host.
func dialAddr(host string, port int) string {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
