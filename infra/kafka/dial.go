package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	dialAtMost = 5 * time.Second
	// helloAtMost is how long a broker may take to say its first word.
	helloAtMost = 2 * time.Second
	// mutedFor is how long one that did not is left alone.
	mutedFor = 5 * time.Second
)

// errMuted fails a connection before it is tried.
var errMuted = errors.New("this broker takes connections and says nothing: it is left alone for a while")

// dialing opens connections to one of several brokers. One that hangs still
// takes connections, or does not even refuse them, and the client would try it
// four times before it asks another: half a minute in which whoever wants to
// know who leads now is told nothing. So one that says nothing is left at once,
// and not tried again for some seconds. A single broker is waited for.
type dialing struct {
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	mu    sync.Mutex
	muted map[string]time.Time // until when, by address
}

// dialer returns the option by which a client connects. secured is nil for
// connections in the clear.
func (c Config) dialer(secured *tls.Config) kgo.Opt {
	plain := &net.Dialer{Timeout: dialAtMost}
	d := &dialing{dial: plain.DialContext, muted: make(map[string]time.Time)}
	if secured != nil {
		d.dial = (&tls.Dialer{NetDialer: plain, Config: secured}).DialContext // it takes the server's name from the address
	}
	if len(c.Brokers) > 1 {
		return kgo.Dialer(d.open)
	}
	return kgo.Dialer(d.dial)
}

func (d *dialing) open(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	muted := time.Now().Before(d.muted[addr])
	d.mu.Unlock()
	if muted {
		// In this form the client knows that it may ask another.
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%s: %w", addr, errMuted)}
	}
	conn, err := d.dial(ctx, network, addr)
	if err != nil {
		d.mute(addr, err)
		return nil, err
	}
	return &greeted{Conn: conn, silent: func(err error) { d.mute(addr, err) }}, nil
}

// mute leaves a broker alone, if that is what the error means.
func (d *dialing) mute(addr string, err error) {
	var late net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &late) && late.Timeout() {
		d.mu.Lock()
		d.muted[addr] = time.Now().Add(mutedFor)
		d.mu.Unlock()
	}
}

// greeted is a connection whose first answer must come soon.
type greeted struct {
	net.Conn
	heard  atomic.Bool
	silent func(error)
}

// SetReadDeadline is called before each answer that is waited for.
func (c *greeted) SetReadDeadline(t time.Time) error {
	if soon := time.Now().Add(helloAtMost); !c.heard.Load() && t.After(soon) {
		t = soon
	}
	return c.Conn.SetReadDeadline(t)
}

// Read notes whether anything came.
func (c *greeted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	switch {
	case n > 0:
		c.heard.Store(true)
	case err != nil && !c.heard.Load():
		c.silent(err)
	}
	return n, err
}
