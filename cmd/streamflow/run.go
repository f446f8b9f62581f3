package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// stopAtMost bounds how long one part may take to stop.
const stopAtMost = 15 * time.Second

// runParts runs parts until ctx ends or one of them fails, and then stops them
// in their order, which is that of the data: intake first, so that what is on
// its way can still leave.
func runParts(ctx context.Context, log *slog.Logger, parts ...part) error {
	type ended struct {
		name string
		err  error
	}
	ends := make(chan ended, len(parts))
	stops := make([]func(), len(parts))
	for i, p := range parts {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		go func() {
			defer close(done)
			err := p.run(own)
			if own.Err() == nil || err != nil {
				ends <- ended{p.name, err}
			}
		}()
		stops[i] = func() {
			cancel()
			select {
			case <-done:
			case <-time.After(stopAtMost):
				log.Warn("a part does not stop, leaving it", "part", p.name, "after", stopAtMost)
			}
			if p.close != nil {
				p.close()
			}
		}
	}
	var failed error
	select {
	case <-ctx.Done():
	case e := <-ends:
		if failed = e.err; failed != nil {
			failed = fmt.Errorf("%s: %w", e.name, e.err)
		}
	}
	for _, stop := range stops {
		stop()
	}
	return failed
}

// metricsFlags let a part that has no API show its metrics.
type metricsFlags struct {
	MetricsAddr string `help:"Address on which /metrics, /health and /ready are served; empty for none." placeholder:"HOST:PORT" env:"METRICS_ADDR"`
}

// part serves the metrics in r, and at /ready whether the probes pass.
func (f metricsFlags) part(r *prometheus.Registry, probes ...probe) ([]part, error) {
	if f.MetricsAddr == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", f.MetricsAddr)
	if err != nil {
		return nil, fmt.Errorf("metrics on %s: %w: choose another address with --metrics-addr", f.MetricsAddr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("GET /ready", serveReady(probes))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return []part{{"metrics", func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		if err := server.Serve(ln); ctx.Err() == nil {
			return err
		}
		return nil
	}, nil}}, nil
}
