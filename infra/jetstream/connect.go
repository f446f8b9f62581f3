package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Client is one connection to NATS and its JetStream.
type Client struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	log     *slog.Logger
	replies replies  // to fast batches
	copied  sync.Map // by stream: whether it has replicas
	lost    *loss
	taps    *Taps
	end     context.CancelFunc // of what runs beside the connection
}

// Connect opens a connection that reconnects for ever by itself. name is shown
// by `nats server ls connections`. as says who we are; nobody if it is left
// out. The error names the URL, without its password, and the way out.
func Connect(url, name string, log *slog.Logger, as ...Security) (*Client, error) {
	log = log.With("nats", name)
	var s Security
	if len(as) > 0 {
		s = as[0]
	}
	opts, err := s.options(url)
	if err != nil {
		return nil, fmt.Errorf("NATS at %s: %w", Redact(url), err)
	}
	lost := newLoss()
	nc, err := nats.Connect(url, append(opts,
		nats.Name("streamflow "+name),
		nats.Timeout(5*time.Second),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100*time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, time.Second),
		// What is published while the connection is away must fail at once: a
		// batch whose first half was lost must not be sent its second half.
		nats.ReconnectBufSize(-1),
		nats.PingInterval(2*time.Second), // a server that is cut off is noticed by this alone
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			lost.happens()
			if err != nil {
				log.Warn("NATS is away, reconnecting", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("NATS is back", "url", nc.ConnectedUrlRedacted()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("NATS reports", "error", err) }),
		// A login that is refused may be one that is being changed.
		nats.IgnoreAuthErrorAbort(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("NATS at %s: %w: %s", Redact(url), err, s.explain(url, err))
	}
	if version := nc.ConnectedServerVersion(); !newEnough(version) {
		nc.Close()
		return nil, fmt.Errorf("NATS at %s is nats-server %s: StreamFlow needs %d.%d or newer (fast batches, reset of consumers)", Redact(url), version, leastMajor, leastMinor)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("NATS at %s: %w", Redact(url), err)
	}
	ctx, end := context.WithCancel(context.Background())
	c := &Client{nc: nc, js: js, log: log, lost: lost, taps: &Taps{}, end: end}
	go c.stayUseful(ctx)
	return c, nil
}

// The oldest server that has all that we use.
const leastMajor, leastMinor = 2, 14

// newEnough reads "2.14.0", "2.15.2-beta.1". What it cannot read may be anything,
// and is let through.
func newEnough(version string) bool {
	var major, minor int
	if n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); n < 2 {
		return true
	}
	return major > leastMajor || major == leastMajor && minor >= leastMinor
}

// replicated says whether a stream has replicas, as it was when it was first
// asked for.
func (c *Client) replicated(ctx context.Context, stream string) (bool, error) {
	if known, ok := c.copied.Load(stream); ok {
		return known.(bool), nil
	}
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return false, err
	}
	replicated := s.CachedInfo().Config.Replicas > 1
	c.copied.Store(stream, replicated)
	return replicated, nil
}

// Close ends the connection at once.
func (c *Client) Close() {
	c.end()
	c.nc.Close()
}

// Ping makes one round trip to the server and returns its version.
func (c *Client) Ping(timeout time.Duration) (string, error) {
	if !c.nc.IsConnected() {
		return "", errors.New("not connected to " + Redact(c.nc.Opts.Url))
	}
	if err := c.nc.FlushTimeout(timeout); err != nil {
		return "", err
	}
	return "nats-server " + c.nc.ConnectedServerVersion(), nil
}
