package api

import (
	"slices"
	"strings"
	"time"

	"streamflow"
)

// view puts together what is known.
func (p *pipeline) view(now time.Time) Pipeline {
	v := Pipeline{At: now.UTC(), Stages: stages, Edges: edges, Hops: []PipelineHop{}, Health: []CheckResult{}, Faults: []PipelineFault{}}
	kafka, streams := p.kafka.read(&v.Faults), p.streams.read(&v.Faults)
	database, functions := p.database.read(&v.Faults), p.functions.read(&v.Faults)
	if r := p.health.read(&v.Faults); r != nil {
		v.Health, v.HealthAt = r.value, timeOrNil(r.at)
	}
	if kafka != nil {
		v.Kafka = &PipelineKafka{At: kafka.at.UTC(), Topics: kafka.value}
	}
	if streams != nil {
		v.Streams = streams.value
	}
	if database != nil {
		d := &database.value
		v.Database = &PipelineDatabase{
			At: database.at.UTC(), Bytes: d.Bytes, RowsPerSecond: d.rows, CommitsPerSecond: d.commits, Connections: d.Connections,
		}
		if d.Archived > 0 {
			v.Database.Stored = &d.Archived
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v.Throughput = p.passed.points(now, throughputSeconds-1)
	v.Hops = p.hops(&v, functions, now)
	return v
}

// hops are those of a tick, in the order in which it passes them; the caller
// holds the lock.
func (p *pipeline) hops(v *Pipeline, functions *reading[[]FunctionState], now time.Time) []PipelineHop {
	var hops []PipelineHop
	add := func(name string, rate *float64, lag *uint64) {
		h := PipelineHop{Name: name, Rate: rate, Lag: lag}
		p.latencies[name].show(&h, now)
		hops = append(hops, h)
	}
	produced, mirrored, behind := p.kafkaRates(v.Kafka)
	add(streamflow.HopKafka, produced, nil)
	add(streamflow.HopBridge, mirrored, behind)
	var written *float64
	var waiting *uint64
	for i := range v.Streams {
		if st := &v.Streams[i]; st.Name == streamflow.StreamTicks {
			written = st.PerSecond
			// The bridge's cursors count: one that stands behind the newest tick is
			// no lag, and cannot be told from it.
			n := st.LastSeq - min(p.taken.Load(), st.LastSeq)
			waiting = &n
		}
	}
	add(hopStream, written, nil)
	add(hopAPI, p.passed.rate(now), waiting)
	if functions != nil {
		for i := range functions.value {
			add(functionHop(&functions.value[i], v.Streams))
		}
	}
	return hops
}

// kafkaRates are what is produced to the topic of the ticks, what the bridge
// has mirrored of it, by the offsets that it commits, and what it has not.
func (p *pipeline) kafkaRates(k *PipelineKafka) (produced, mirrored *float64, behind *uint64) {
	if k == nil {
		return nil, nil, nil
	}
	i := slices.IndexFunc(k.Topics, func(t PipelineTopic) bool { return t.Name == p.topic() })
	if i < 0 {
		return nil, nil, nil
	}
	t := &k.Topics[i]
	for _, g := range t.Groups {
		// A bridge may be told to have another name; then nobody else reads it, or
		// it is not known which one it is.
		if g.Lag != nil && (g.Name == streamflow.GroupBridge || len(t.Groups) == 1) {
			n := uint64(max(*g.Lag, 0))
			behind, mirrored = &n, g.PerSecond
		}
	}
	return t.PerSecond, mirrored, behind
}

// functionHop is what the workers of a function say, and its consumers.
func functionHop(st *FunctionState, streams []PipelineStream) (name string, rate *float64, lag *uint64) {
	for i := range st.Shards {
		if rate == nil {
			rate = new(float64)
		}
		*rate += st.Shards[i].Rate
	}
	for i := range streams {
		for _, c := range streams[i].Consumers {
			if of, ok := strings.CutPrefix(c.Name, st.Name+"-"); ok && strings.Trim(of, "0123456789") == "" {
				if lag == nil {
					lag = new(uint64)
				}
				*lag += c.Pending + uint64(max(c.AckPending, 0))
			}
		}
	}
	if lag == nil {
		lag = lagOf(st) // of one whose consumers are not numbered
	}
	return st.Name, rate, lag
}

// stages and edges are those of [streamflow.Flow].
var stages, edges = topology(streamflow.Flow.Stages)

func topology(flow []streamflow.Stage) ([]PipelineStage, []PipelineEdge) {
	list, ways := make([]PipelineStage, 0, len(flow)), []PipelineEdge{}
	for _, st := range flow {
		list = append(list, PipelineStage{
			Name: st.Name, Room: st.Room, Does: st.Does, Reads: placeNames(st.Reads), Writes: placeNames(st.Writes), Durable: st.Durable, Group: st.Group,
		})
		for _, to := range flow {
			for _, place := range st.Writes {
				if slices.Contains(to.Reads, place) {
					ways = append(ways, PipelineEdge{From: st.Name, To: to.Name, Via: placeName(place)})
				}
			}
		}
	}
	return list, ways
}

func placeNames(places []streamflow.Place) []string {
	names := make([]string, 0, len(places))
	for _, p := range places {
		names = append(names, placeName(p))
	}
	return names
}

func placeName(p streamflow.Place) string { return string(p.Kind) + ":" + p.Name }
