package embedded

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	natsMaxPayload = 8 << 20
	// natsStartTimeout allows for the recovery of a large store after a kill.
	natsStartTimeout = 5 * time.Minute
	natsProgress     = 5 * time.Second
	natsPatience     = time.Second // between looks at whether it has given up
)

// NATSConfig says where the embedded NATS server listens and keeps its streams.
type NATSConfig struct {
	Addr    string       // host:port, ":0"-style ports allowed
	Dir     string       // data directory, of this server alone
	TLS     *tls.Config  // how it speaks with clients; nil is in the clear
	Users   []NATSUser   // who is let in; without any everybody is, to everything
	Reserve int64        // bytes of the disk that are left free, see [Space]; 0 is DefaultReserve
	Logger  *slog.Logger // nil is slog.Default()
}

// NATS is a running embedded NATS server with JetStream. It may be another one
// than a moment ago, at the same address: see [NATS.mend].
type NATS struct {
	cfg    NATSConfig
	host   string
	port   int
	log    *slog.Logger
	server atomic.Pointer[server.Server]
	broken atomic.Pointer[string] // why the server takes no more writes; nil while it does
	low    atomic.Bool            // the disk is, and the server knows
	url    string
	space  *Space
	stop   context.CancelFunc
	mender sync.WaitGroup
	once   sync.Once
}

// StartNATS starts a server on cfg.Addr with JetStream's files in cfg.Dir. It
// handles no signals, and its limits on storage follow the free disk. When it
// returns, the streams are recovered and clients can connect.
func StartNATS(cfg NATSConfig) (*NATS, error) {
	log := logger(cfg.Logger, "nats")
	host, port, err := natsService.resolve(cfg.Addr)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	if host == "" {
		host = server.DEFAULT_HOST
	}
	n := &NATS{cfg: cfg, host: host, port: port, log: log, url: natsScheme(cfg) + dialAddr(host, port)}
	if err := n.start(); err != nil {
		return nil, err
	}
	n.space = WatchSpace(cfg.Dir, part(cfg.Reserve, 3, 4), log, n.setLow)
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.mender.Go(func() { n.mend(ctx) })
	log.Info("NATS is ready", "url", n.url, "dir", cfg.Dir)
	return n, nil
}

// start starts a server and waits until clients can connect.
func (n *NATS) start() error {
	options := &server.Options{
		ServerName: "streamflow",
		Host:       n.host,
		Port:       n.port,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   n.cfg.Dir,
		MaxPayload: natsMaxPayload,
	}
	secureNATS(options, n.cfg)
	ns, err := server.NewServer(options)
	if err != nil {
		return fmt.Errorf("start NATS: %w", err)
	}
	l := &natsLogger{log: n.log, fatal: make(chan string, 1), broken: &n.broken}
	debug := n.log.Enabled(context.Background(), slog.LevelDebug)
	ns.SetLoggerV2(l, debug, false, false)
	go ns.Start()
	if err := awaitNATS(ns, l, n.cfg); err != nil {
		ns.Shutdown()
		ns.WaitForShutdown()
		return err
	}
	n.server.Store(ns)
	return nil
}

// awaitNATS waits until clients can connect or the server has given up.
func awaitNATS(ns *server.Server, l *natsLogger, cfg NATSConfig) error {
	began := time.Now()
	said := began
	for !ns.ReadyForConnections(natsPatience) {
		select {
		case why := <-l.fatal:
			if strings.Contains(why, "address already in use") {
				return natsService.listenError(cfg.Addr, ErrAddrInUse)
			}
			return fmt.Errorf("start NATS on %s in %s: %s", cfg.Addr, cfg.Dir, why)
		default:
		}
		if time.Since(began) > natsStartTimeout {
			return fmt.Errorf("start NATS in %s: not ready after %s", cfg.Dir, natsStartTimeout)
		}
		if time.Since(said) > natsProgress {
			said = time.Now()
			l.log.Info("NATS is recovering its streams", "dir", cfg.Dir, "since", said.Sub(began).Round(time.Second))
		}
	}
	if !ns.JetStreamEnabled() {
		return fmt.Errorf("start NATS: JetStream is off, see the log for the reason (directory %s)", cfg.Dir)
	}
	return nil
}

// URL is where clients on this machine connect.
func (n *NATS) URL() string { return n.url }

// Server is the server itself, as it is now.
func (n *NATS) Server() *server.Server { return n.server.Load() }

// Close flushes the streams, stops the server and waits until it has stopped.
// It may be called more than once.
func (n *NATS) Close() error {
	n.once.Do(func() {
		n.stop()
		n.mender.Wait()
		n.space.Close()
		n.Server().Shutdown()
		n.Server().WaitForShutdown()
	})
	return nil
}

// natsLogger sends nats-server's log to slog. Its notices are the banner, the
// limits and each stream restored: debug for us, who say ourselves that we are
// ready. A fatal error does not exit the process: it fails the start.
type natsLogger struct {
	log    *slog.Logger
	fatal  chan string
	broken *atomic.Pointer[string]
}

func (l *natsLogger) Noticef(f string, v ...any) { logf(l.log, slog.LevelDebug, f, v) }
func (l *natsLogger) Warnf(f string, v ...any)   { logf(l.log, slog.LevelWarn, f, v) }
func (l *natsLogger) Errorf(f string, v ...any) {
	logf(l.log, slog.LevelError, f, v)
	if breaks(f) {
		why := fmt.Sprintf(f, v...)
		l.broken.CompareAndSwap(nil, &why)
	}
}
func (l *natsLogger) Debugf(f string, v ...any) { logf(l.log, slog.LevelDebug, f, v) }
func (l *natsLogger) Tracef(f string, v ...any) { logf(l.log, slog.LevelDebug, f, v) }
func (l *natsLogger) Fatalf(f string, v ...any) {
	logf(l.log, slog.LevelError, f, v)
	select {
	case l.fatal <- fmt.Sprintf(f, v...):
	default: // the first reason is the reason
	}
}
