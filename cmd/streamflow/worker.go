package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"streamflow"
	"streamflow/functions/fleet"
)

type workerCmd struct {
	Functions []string `arg:"" optional:"" help:"Functions to run, or stand by for; all of them if none is named. \"streamflow functions\" lists them."`
	kafkaFlags
	natsFlags
	postgresFlags
	workerFlags
	metricsFlags
	traceFlags `group:"Traces"`
	rowFlags
}

// workerFlags are those of a worker wherever it runs.
type workerFlags struct {
	ScaleToZero bool          `help:"Let go of functions that have nothing to do; what comes wakes them." env:"SCALE_TO_ZERO"`
	Idle        time.Duration `help:"How long a function must have had nothing to do for that." default:"30s" env:"IDLE_AFTER"`
}

// idle is what the fleet is told: 0 keeps everything awake.
func (f workerFlags) idle() time.Duration {
	if !f.ScaleToZero {
		return 0
	}
	return max(f.Idle, time.Second)
}

// Help is shown by --help.
func (workerCmd) Help() string {
	return `Every worker watches what is desired of the functions ("streamflow functions") and makes it so. Workers share the shards among themselves: start a second one, and it takes its part and stands by for the rest; kill one, and the other has all of it within 5 seconds.`
}

// Run works until ctx ends.
func (c *workerCmd) Run(ctx context.Context, log *slog.Logger) error {
	entries, err := lookUpAll(c.Functions)
	if err != nil {
		return err
	}
	registry := newRegistry()
	s := servers{kafkaFlags: c.kafkaFlags, natsFlags: c.natsFlags, postgresFlags: c.postgresFlags}
	serve, err := c.part(registry, s.natsProbe(log))
	if err != nil {
		return err
	}
	var traces []part
	if s.tracer, traces, err = c.tracer("streamflow-worker", log, registry); err != nil {
		return err
	}
	work, err := newFleet(s, entries, c.idle(), newJointMetrics(registry, nil), log)
	if err != nil {
		return err
	}
	parts := append([]part{work}, serve...)
	if c.rowFlags.any() && (len(c.Functions) == 0 || contains(entries, streamflow.FunctionArchive)) {
		parts = append(parts, newPrune(s, c.rowFlags, log))
	}
	return runParts(ctx, log, append(parts, traces...)...)
}

// newFleet makes a worker of this process.
func newFleet(s servers, entries []*entry, idle time.Duration, m jointMetrics, log *slog.Logger) (part, error) {
	js, err := s.natsFlags.connect("worker", log)
	if err != nil {
		return part{}, err
	}
	j := &joint{servers: s, log: log, metrics: m, js: js}
	desk := newDesk(js)
	c := fleet.Config{ID: workerID(), Desired: desk.functions, Rules: desk.rules, Status: desk.status, Idle: idle, Logger: log}
	for _, e := range entries {
		c.Functions = append(c.Functions, *e.function(j))
	}
	return part{"worker", fleet.New(c).Run, j.close}, nil
}

// workerID names this process among all workers there will ever be: two that
// take each other for the same would both keep what they should share.
func workerID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	host = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, host)
	return fmt.Sprintf("%.32s-%d-%s", host, os.Getpid(), strings.ToLower(rand.Text()[:4]))
}
