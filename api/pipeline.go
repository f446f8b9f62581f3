package api

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamflow"
)

// pipeline measures how all of the system runs: what passes here anyway always,
// the servers once a second while somebody looks, the functions every five
// seconds besides.
type pipeline struct {
	config *Config
	looked atomic.Int64  // Unix nanoseconds at which somebody has looked
	taken  atomic.Uint64 // sequence of the newest tick that came in

	kafka     *gauge[[]PipelineTopic]
	streams   *gauge[[]PipelineStream]
	database  *gauge[databaseReading]
	functions *gauge[[]FunctionState]
	health    *gauge[[]CheckResult]
	trails    trails // of the functions

	mu        sync.Mutex
	passed    throughput
	latencies map[string]*latencies // by hop

	passing *prometheus.HistogramVec // the same samples, by hop, since the start
}

const (
	// lookedFor is how long the servers are measured after somebody has looked.
	lookedFor  = 30 * time.Second
	gaugeEvery = 900 * time.Millisecond // of a tick of a second, whatever the clock's jitter
)

func newPipeline(c *Config) *pipeline {
	p := &pipeline{config: c, passed: newThroughput(time.Now()), latencies: make(map[string]*latencies), passing: newPassing()}
	o := &c.Operations
	if o.Sight != nil {
		p.kafka = newGauge("kafka", gaugeEvery, p.takeKafka)
		p.streams = newGauge("nats", gaugeEvery, p.takeStreams)
		p.database = newGauge("postgres", 2*gaugeEvery, p.takeDatabase)
	}
	if o.Functions != nil {
		p.functions = newGauge("functions", gaugeEvery, func(ctx context.Context, _ *reading[[]FunctionState]) ([]FunctionState, error) {
			states, err := o.Functions.Functions(ctx)
			if err == nil {
				p.trails.add(time.Now(), states)
			}
			return states, err
		})
	}
	// Each check opens connections of its own: not every second.
	p.health = newGauge("health", 5*time.Second, func(ctx context.Context, _ *reading[[]CheckResult]) ([]CheckResult, error) {
		return runChecks(ctx, c.Checks).Checks, nil
	})
	return p
}

// topic is that of the ticks.
func (p *pipeline) topic() string {
	if t := p.config.Operations.Topic; t != "" {
		return t
	}
	return streamflow.TopicTicks
}

// run measures, and tells those who have subscribed, until ctx ends.
func (p *pipeline) run(ctx context.Context, wanted func() bool, show func()) {
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			p.settle()
			return
		case <-clock.C:
			if wanted() {
				show()
			}
			if time.Since(time.Unix(0, p.looked.Load())) < lookedFor {
				go p.measure(ctx)
			} else if p.functions != nil && p.trails.due(time.Now()) {
				go p.functions.measure(ctx)
			}
		}
	}
}

// settle waits until nothing is being measured.
func (p *pipeline) settle() {
	if p.kafka != nil {
		p.kafka.turn <- struct{}{}
		p.streams.turn <- struct{}{}
		p.database.turn <- struct{}{}
	}
	if p.functions != nil {
		p.functions.turn <- struct{}{}
	}
	p.health.turn <- struct{}{}
}

// measure measures all at the same time.
func (p *pipeline) measure(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { p.kafka.measure(ctx) })
	wg.Go(func() { p.streams.measure(ctx) })
	wg.Go(func() { p.database.measure(ctx) })
	wg.Go(func() { p.functions.measure(ctx) })
	wg.Go(func() { p.health.measure(ctx) })
	wg.Wait()
}

// look returns what was measured; who looks first waits for the first
// measurement, and never longer than one may take.
func (p *pipeline) look(ctx context.Context) Pipeline {
	p.looked.Store(time.Now().UnixNano())
	ctx, cancel := context.WithTimeout(ctx, gaugeTimeout+time.Second/2)
	defer cancel()
	p.measure(ctx)
	return p.view(time.Now())
}

// PipelineMessage is what websocket subject `pipeline` has each second.
type PipelineMessage struct {
	At        time.Time       `json:"at" doc:"When it was put together"`
	PerSecond *float64        `json:"perSecond" doc:"Ticks that were taken from the stream in the second before"`
	Hops      []PipelineHop   `json:"hops" doc:"As of GET /api/pipeline"`
	Health    []CheckResult   `json:"health" doc:"As of GET /api/pipeline"`
	Faults    []PipelineFault `json:"faults" doc:"As of GET /api/pipeline"`
}

// Pipeline returns the message of websocket subject `pipeline`, a
// [PipelineMessage], at once, and has the servers measured for a while.
func (s *Server) Pipeline() []byte {
	now := time.Now()
	s.pipeline.looked.Store(now.UnixNano())
	v := s.pipeline.view(now)
	m := PipelineMessage{At: v.At, Hops: v.Hops, Health: v.Health, Faults: v.Faults}
	if n := len(v.Throughput); n > 0 {
		m.PerSecond = &v.Throughput[n-1].PerSecond
	}
	data, err := json.Marshal(m)
	if err != nil {
		s.log.Error("the pipeline cannot be told", "error", err)
		return nil
	}
	return data
}
