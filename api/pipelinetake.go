package api

import (
	"context"
	"slices"
	"time"

	"streamflow"
	"streamflow/api/live"
)

// samplesOfBatch is how many of the messages that come at once are looked at.
const samplesOfBatch = 8

// taps are those who see every message that clients are shown.
type taps []live.Tap

// Seed implements [live.Tap].
func (t taps) Seed(stream string, newest []streamflow.Message) {
	for _, tap := range t {
		tap.Seed(stream, newest)
	}
}

// Apply implements [live.Tap].
func (t taps) Apply(stream string, batch []streamflow.Message) {
	for _, tap := range t {
		tap.Apply(stream, batch)
	}
}

// Seed implements [live.Tap]. What was there before says nothing about now.
func (p *pipeline) Seed(stream string, newest []streamflow.Message) {
	if stream != streamflow.StreamTicks {
		return
	}
	last := uint64(0)
	for i := range newest {
		last = max(last, newest[i].Sequence)
	}
	p.taken.Store(last)
}

// Apply implements [live.Tap]: it counts, and looks at the hops of a few.
func (p *pipeline) Apply(stream string, batch []streamflow.Message) {
	if len(batch) == 0 {
		return
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	ticks := stream == streamflow.StreamTicks
	if ticks {
		p.taken.Store(batch[len(batch)-1].Sequence)
		p.passed.add(now, len(batch))
	}
	for i := 0; i < len(batch); i += max(len(batch)/samplesOfBatch, 1) {
		hops := streamflow.ParseHops(batch[i].Hops)
		n := len(hops)
		if n < 2 {
			continue
		}
		stored, first, last := batch[i].Stored, hops[0].At, hops[n-1]
		p.sample(last.Name, hops[n-2].Name, now, last.At.Sub(hops[n-2].At), last.At.Sub(first))
		if ticks {
			p.sample(hopStream, last.Name, now, stored.Sub(last.At), stored.Sub(first))
			p.sample(hopAPI, hopStream, now, now.Sub(stored), now.Sub(first))
		}
	}
}

// Hops that no header names.
const (
	hopStream = "stream" // committed to the stream
	hopAPI    = "api"    // taken in by this server
)

// sample notes a latency; the caller holds the lock.
func (p *pipeline) sample(hop, from string, now time.Time, step, total time.Duration) {
	l := p.latencies[hop]
	if l == nil {
		l = &latencies{}
		p.latencies[hop] = l
	}
	l.from = from
	l.add(now, step, total)
	p.passing.WithLabelValues(hop).Observe(total.Seconds())
}

func (p *pipeline) takeKafka(ctx context.Context, before *reading[[]PipelineTopic]) ([]PipelineTopic, error) {
	topics, err := p.config.Operations.Sight.Kafka(ctx)
	for i := range topics {
		t := &topics[i]
		was := slices.IndexFunc(before.value, func(b PipelineTopic) bool { return b.Name == t.Name })
		if was >= 0 {
			b := &before.value[was]
			t.PerSecond = perSecond(ends(t), ends(b), before.at)
			groupRates(t, b, before.at)
		}
	}
	return topics, err
}

// groupRates are how fast the groups go on: by the offsets that they commit.
func groupRates(t, before *PipelineTopic, since time.Time) {
	for i := range t.Groups {
		g := &t.Groups[i]
		for _, b := range before.Groups {
			if b.Name == g.Name && b.Lag != nil && g.Lag != nil {
				g.PerSecond = perSecond(ends(t)-*g.Lag, ends(before)-*b.Lag, since)
			}
		}
	}
}

// ends sums up the ends of a topic's partitions.
func ends(t *PipelineTopic) (sum int64) {
	for _, p := range t.Partitions {
		sum += p.End
	}
	return sum
}

func (p *pipeline) takeStreams(ctx context.Context, before *reading[[]PipelineStream]) ([]PipelineStream, error) {
	streams, err := p.config.Operations.Sight.Streams(ctx)
	if err != nil {
		return nil, err
	}
	for i := range streams {
		st := &streams[i]
		was := slices.IndexFunc(before.value, func(b PipelineStream) bool { return b.Name == st.Name })
		if was < 0 {
			continue
		}
		st.PerSecond = perSecond(int64(st.LastSeq), int64(before.value[was].LastSeq), before.at)
	}
	return streams, nil
}

// databaseReading is what the database has counted, and what follows from it.
type databaseReading struct {
	DatabaseCounters
	rows, commits, archived *float64 // a second
}

func (p *pipeline) takeDatabase(ctx context.Context, before *reading[databaseReading]) (databaseReading, error) {
	c, err := p.config.Operations.Sight.Database(ctx)
	r, b := databaseReading{DatabaseCounters: c}, &before.value
	r.rows = perSecond(c.Rows, b.Rows, before.at)
	r.commits = perSecond(c.Commits, b.Commits, before.at)
	r.archived = perSecond(c.Archived, b.Archived, before.at)
	return r, err
}
