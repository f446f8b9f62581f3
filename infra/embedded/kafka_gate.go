package embedded

import (
	"crypto/tls"
	"net"
	"sync"
)

// gate is a listener that lets nobody in before it is opened, except who comes
// by the house's own door. kfake serves as soon as it has a listener; what must
// be put right in its log has to be put right before clients come.
type gate struct {
	net.Listener // the clients'
	house        net.Listener
	conns        chan net.Conn
	closed       chan struct{}
	close        sync.Once
}

// newGate returns a gate before ln, which it owns. Both doors speak TLS, if c is
// not nil.
func newGate(ln net.Listener, c *tls.Config) (*gate, error) {
	house, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if c != nil {
		ours := c.Clone()
		ours.ClientAuth = tls.NoClientCert // we have none; a password we have
		ln, house = tls.NewListener(ln, c), tls.NewListener(house, ours)
	}
	g := &gate{Listener: ln, house: house, conns: make(chan net.Conn), closed: make(chan struct{})}
	go g.admit(house)
	return g, nil
}

// open lets clients in; those that have come already have been waiting.
func (g *gate) open() { go g.admit(g.Listener) }

func (g *gate) admit(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return // closed
		}
		select {
		case g.conns <- conn:
		case <-g.closed:
			conn.Close()
			return
		}
	}
}

// Accept returns who has been let in.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case conn := <-g.conns:
		return conn, nil
	case <-g.closed:
		return nil, net.ErrClosed
	}
}

// Close closes both doors.
func (g *gate) Close() error {
	g.close.Do(func() { close(g.closed); g.house.Close() })
	return g.Listener.Close()
}
