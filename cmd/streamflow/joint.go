package main

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow/bridge"
	"streamflow/functions"
	"streamflow/functions/archive"
	"streamflow/functions/notify"
	"streamflow/infra/jetstream"
)

// joint is what the functions of a worker share.
type joint struct {
	servers
	log     *slog.Logger
	metrics jointMetrics
	js      *jetstream.Client
}

func (j *joint) close() { j.js.Close() }

// jointMetrics are those of all functions of a process.
type jointMetrics struct {
	functions *functions.Metrics
	archive   *archive.Metrics
	bridge    *bridge.Metrics
	notify    *notify.Metrics
}

// newJointMetrics registers them with r. b are the bridge's, if it runs in the
// same process.
func newJointMetrics(r prometheus.Registerer, b *bridge.Metrics) jointMetrics {
	if b == nil {
		b = bridge.NewMetrics(nil)
	}
	return jointMetrics{functions.NewMetrics(r), archive.NewMetrics(r), b, notify.NewMetrics(r)}
}
