package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"streamflow"
	"streamflow/bridge"
	"streamflow/functions"
	"streamflow/functions/archive"
	"streamflow/functions/fleet"
)

// opened is where a sink leaves what it reads.
type opened struct {
	sink   functions.Sink
	filter string // what of the stream it reads
	limit  int
	apart  time.Duration                   // of its commits, see [functions.Config]
	beside func(ctx context.Context) error // runs beside it; nil for most
	close  func()
}

// What a commit costs is much the same however much is in it: an atomic batch of
// JetStream makes a file store of its own and flushes it, a transaction of Kafka
// is three requests and two rounds of fsyncs. So they are kept apart while little
// comes.
const (
	factsApart = 50 * time.Millisecond
	tableApart = 50 * time.Millisecond
	topicApart = 200 * time.Millisecond
)

// sinkProgram runs a function that has no state of its own.
type sinkProgram struct {
	j    *joint
	e    *entry
	open func(ctx context.Context, j *joint, e *entry) (*opened, error)
}

// Shard returns its only shard.
func (p *sinkProgram) Shard(streamflow.Layout, int) fleet.Shard { return &sinkShard{p: p} }

// Pending asks the durable.
func (p *sinkProgram) Pending(ctx context.Context, shard int) (uint64, error) {
	return p.j.pending(ctx, p.e.reads, p.e.name, shard)
}

// Move has nothing to move.
func (p *sinkProgram) Move(context.Context, streamflow.Layout, streamflow.Layout, *streamflow.Replay) error {
	return errors.New("a sink keeps no layout")
}

// Tidy has nothing to tidy up.
func (p *sinkProgram) Tidy(context.Context, streamflow.Layout) error { return nil }

// sinkShard is a sink at work. What it writes to is opened when it starts, not
// when the worker does: a database that is away keeps nothing else waiting.
type sinkShard struct {
	p     *sinkProgram
	mu    sync.Mutex
	meter *meter // nil before Run
}

// Run works until ctx ends.
func (s *sinkShard) Run(ctx context.Context) error {
	o, err := s.p.open(ctx, s.p.j, s.p.e)
	if err != nil {
		return err
	}
	defer o.close()
	e := s.p.e
	m := &meter{Source: s.p.j.js.Durable(e.reads, o.filter, e.name, 0), began: time.Now()}
	s.mu.Lock()
	s.meter = m
	s.mu.Unlock()
	var beside sync.WaitGroup
	own, cancel := context.WithCancel(ctx)
	defer beside.Wait()
	defer cancel()
	if o.beside != nil {
		beside.Go(func() { _ = o.beside(own) })
	}
	runner := functions.New(functions.Config{
		Function: e.name, Source: m, Sink: o.sink, Limit: o.limit, Apart: o.apart, Logger: s.p.j.log, Metrics: s.p.j.metrics.functions, Tracer: s.p.j.tracer,
	})
	return runner.Run(ctx)
}

// Report says how it stands.
func (s *sinkShard) Report() fleet.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.meter == nil {
		return fleet.Report{}
	}
	return s.meter.report()
}

// meter counts what passes a source.
type meter struct {
	functions.Source
	began time.Time

	mu      sync.Mutex
	owner   bool
	next    uint64 // handed out, and not acknowledged
	done    uint64
	newest  time.Time
	at      time.Time // of the last rate
	counted uint64
	rate    float64
	errors  uint64
	last    string
}

// Next counts what is handed out.
func (m *meter) Next(ctx context.Context, limit int) ([]streamflow.Message, bool, error) {
	messages, fresh, err := m.Source.Next(ctx, limit)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			m.owner, m.last = false, err.Error()
			m.errors++
		}
		return messages, fresh, err
	}
	m.owner = true
	m.next += uint64(len(messages))
	if n := len(messages); n > 0 {
		if at, ok := streamflow.FindHop(messages[n-1].Hops, streamflow.HopKafka); ok {
			m.newest = at
		}
	}
	return messages, fresh, nil
}

// Ack counts what is done.
func (m *meter) Ack() error {
	m.mu.Lock()
	m.done, m.next = m.done+m.next, 0
	m.mu.Unlock()
	return m.Source.Ack()
}

// Close notes that the source is given up.
func (m *meter) Close() {
	m.mu.Lock()
	m.owner, m.next = false, 0
	m.mu.Unlock()
	m.Source.Close()
}

func (m *meter) report() fleet.Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.Sub(m.at) >= 2*time.Second {
		if !m.at.IsZero() {
			m.rate = float64(m.done-m.counted) / now.Sub(m.at).Seconds()
		}
		m.at, m.counted = now, m.done
	}
	return fleet.Report{Owner: m.owner, ShardStatus: streamflow.ShardStatus{
		Messages: m.done, Rate: m.rate, Errors: m.errors, LastError: m.last, NewestInput: m.newest,
	}}
}

func openArchive(ctx context.Context, j *joint, e *entry) (*opened, error) {
	db, err := j.postgresFlags.connect(ctx, e.name, j.Topic)
	if err != nil {
		return nil, err
	}
	return &opened{sink: archive.New(db, j.log), close: db.Close}, nil
}

func openArchiveCandles(ctx context.Context, j *joint, e *entry) (*opened, error) {
	db, err := j.postgresFlags.connect(ctx, e.name, j.Topic)
	if err != nil {
		return nil, err
	}
	s := archive.NewCandles(db, j.log, j.metrics.archive)
	return &opened{sink: s, filter: streamflow.SubjectAllCandles, apart: tableApart, beside: s.Run, close: db.Close}, nil
}

func openArchiveAlerts(ctx context.Context, j *joint, e *entry) (*opened, error) {
	db, err := j.postgresFlags.connect(ctx, e.name, j.Topic)
	if err != nil {
		return nil, err
	}
	return &opened{sink: archive.NewAlerts(db, j.log, j.metrics.archive), filter: streamflow.SubjectAllAlerts, apart: tableApart, close: db.Close}, nil
}

func openDeadLetters(_ context.Context, j *joint, e *entry) (*opened, error) {
	p := bridge.NewDeadLetters(j.deadLetters(), j.connector(e.name, j.log, nil), j.metrics.bridge)
	return &opened{sink: p, filter: streamflow.SubjectAllDeadLetters, limit: 1000, close: p.Close}, nil
}

// openReverse brings the facts of a stream to a topic.
func openReverse(topic string) func(context.Context, *joint, *entry) (*opened, error) {
	return func(_ context.Context, j *joint, e *entry) (*opened, error) {
		p := bridge.NewResults(topic, j.connector(e.name, j.log, nil), j.metrics.bridge)
		p.Trace(j.tracer, e.name)
		filter := map[string]string{
			streamflow.TopicCandles: streamflow.SubjectAllCandles, streamflow.TopicIndicators: streamflow.SubjectAllIndicators, streamflow.TopicAlerts: streamflow.SubjectAllAlerts,
		}[topic]
		return &opened{sink: p, filter: filter, limit: 1000, apart: topicApart, close: p.Close}, nil
	}
}
