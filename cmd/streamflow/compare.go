package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
	"streamflow/infra/schemas"
)

// comparison reads the three stores up to a mark that is fixed at its start.
type comparison struct {
	s          servers
	f          verifyFlags
	client     *kgo.Client
	js         *jetstream.Client
	db         *postgres.DB
	start, end map[int32]int64 // of Kafka's partitions
	oldest     time.Time       // event time before which the database may have removed ticks
	first      map[int32]int64 // the oldest offset that stream TICKS still holds
	schemas    *schemas.Registry
	refused    map[streamflow.Position]bool // dead letters that another time may not be; see unsettled
	kafka      tallies
	stream     tallies
	database   tallies
	expired    map[tallyKey]int64
	lost       int64 // values whose schema the registry has no more
}

// compare reads and compares.
func compare(ctx context.Context, s servers, f verifyFlags, log *slog.Logger) (*report, error) {
	c := comparison{
		s: s, f: f, first: make(map[int32]int64), refused: make(map[streamflow.Position]bool),
		kafka: make(tallies), stream: make(tallies), database: make(tallies), expired: make(map[tallyKey]int64),
	}
	if f.KeepRows > 0 {
		c.oldest = time.Now().Add(-f.KeepRows)
	}
	var err error
	if c.schemas, err = s.registryOfSchemas(); err != nil {
		return nil, err
	}
	if c.client, err = kafka.Connect(ctx, s.config("verify", log)); err != nil {
		return nil, err
	}
	defer c.client.Close()
	if c.js, err = s.natsFlags.connect("verify", log); err != nil {
		return nil, err
	}
	defer c.js.Close()
	if c.db, err = s.postgresFlags.connect(ctx, "verify", s.Topic); err != nil {
		return nil, err
	}
	defer c.db.Close()
	if c.start, c.end, err = kafka.Marks(ctx, c.client, s.Topic); err != nil {
		return nil, err
	}
	waited, err := c.wait(ctx, log)
	if err != nil {
		return nil, err
	}
	// JetStream before Kafka: what it no longer keeps must be known, so that
	// Kafka's share of it can be told apart.
	for _, read := range []func(context.Context) error{c.readStream, c.readLetters, c.readKafka, c.readDatabase} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return c.report(waited), nil
}

// waitTold is how often it is told what is waited for.
const waitTold = 5 * time.Second

// wait waits until the bridge and the archive have come to the mark, and says
// what has not.
func (c *comparison) wait(ctx context.Context, log *slog.Logger) (string, error) {
	deadline, told := time.Now().Add(c.f.Wait), time.Now()
	for {
		late, err := c.late(ctx)
		if err != nil || late == "" {
			return "", err
		}
		if time.Now().After(deadline) {
			return fmt.Sprintf("After %s: %s. Are they running?", c.f.Wait, late), nil
		}
		if time.Since(told) > waitTold {
			told = time.Now()
			log.Info("waiting: "+late, "at_most", time.Until(deadline).Round(time.Second))
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *comparison) late(ctx context.Context) (string, error) {
	heads := make(map[streamflow.Partition]int64)
	for number, end := range c.end {
		p := streamflow.Partition{Topic: c.s.Topic, Number: number}
		cur, err := c.js.Ticks().Cursor(ctx, p)
		if err != nil {
			return "", err
		}
		if cur.Next < end && end > c.start[number] {
			return fmt.Sprintf("the bridge is at %d of %d in partition %d", cur.Next, end, number), nil
		}
		if cur.Last >= 0 {
			heads[p] = cur.Last
		}
	}
	positions, err := c.db.Positions(ctx, streamflow.FunctionArchive)
	if err != nil {
		return "", err
	}
	for p, head := range heads {
		// Beyond the mark the archive may lag, as long as it has passed it.
		if at, ok := positions[p]; (!ok || at < head) && (!ok || at < c.end[p.Number]-1) {
			return fmt.Sprintf("the archive is at %d of %d in partition %d", at, min(head, c.end[p.Number]-1), p.Number), nil
		}
	}
	return "", nil
}

// in reports whether a position is in the range that is compared.
func (c *comparison) in(p streamflow.Position) bool {
	return p.Topic == c.s.Topic && p.Offset >= c.start[p.Partition] && p.Offset < c.end[p.Partition]
}

func (c *comparison) old(t *streamflow.Tick) bool { return t.Time.Before(c.oldest) }

func (c *comparison) readStream(ctx context.Context) error {
	last := make(map[int32]int64)
	return c.js.Scan(ctx, streamflow.StreamTicks, streamflow.SubjectAllTicks, false, func(m *streamflow.Message) error {
		if m.Position.Topic != c.s.Topic {
			return nil
		}
		before, seen := last[m.Position.Partition]
		if !seen {
			c.first[m.Position.Partition] = m.Position.Offset
			if m.Previous < 0 { // the first one ever: nothing has expired
				c.first[m.Position.Partition] = 0
			}
		}
		last[m.Position.Partition] = max(before, m.Position.Offset)
		if !c.in(m.Position) {
			return nil
		}
		t, err := m.Tick()
		if err != nil || c.old(&t) {
			return nil
		}
		e := c.stream.add(tallyKey{m.Position.Partition, t.Symbol}, m.Position.Offset, checksum(m.Position, &t))
		if seen && m.Position.Offset <= before || m.Subject != streamflow.TickSubject(t.Symbol) {
			e.Disorder++
		}
		return nil
	})
}

func (c *comparison) readLetters(ctx context.Context) error {
	return c.js.Scan(ctx, streamflow.StreamDeadLetters, streamflow.SubjectAllDeadLetters, false, func(m *streamflow.Message) error {
		if !c.in(m.Position) {
			return nil
		}
		c.stream.add(tallyKey{m.Position.Partition, ""}, m.Position.Offset, checksumBytes(m.Position, m.Data))
		for _, h := range m.Headers {
			if h.Key == streamflow.HeaderReason && unsettled(streamflow.Reason(h.Value)) {
				c.refused[m.Position] = true
			}
		}
		return nil
	})
}

// unsettled reports whether a verdict depends on more than the record: it was
// ahead of the bridge's clock, and may not be of ours; the registry may have
// learnt its schema since.
func unsettled(r streamflow.Reason) bool {
	switch r {
	case streamflow.ReasonFuture, streamflow.ReasonNoRegistry, streamflow.ReasonNoSchema, streamflow.ReasonBadSchema, streamflow.ReasonUndecodable:
		return true
	}
	return false
}

func (c *comparison) readKafka(ctx context.Context) error {
	return kafka.Scan(ctx, c.client, c.s.Topic, c.end, func(r *kgo.Record) error {
		p := streamflow.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
		t, err := decodeTick(ctx, c.schemas, r.Value, r.Key, time.Now())
		var fault *streamflow.RejectError
		switch {
		case err == nil:
		case !errors.As(err, &fault):
			return fmt.Errorf("offset %d cannot be compared: %w", r.Offset, err)
		case fault.Reason == streamflow.ReasonNoRegistry && !c.refused[p]:
			return fmt.Errorf("offset %d cannot be compared: it is in the wire format of a schema registry; set SCHEMA_REGISTRY_URL as it is for the bridge", r.Offset)
		case fault.Reason == streamflow.ReasonNoSchema && !c.refused[p]:
			c.lost++
		}
		if err != nil || c.refused[p] {
			c.kafka.add(tallyKey{r.Partition, ""}, r.Offset, checksumBytes(p, r.Value))
			return nil
		}
		if c.old(&t) {
			return nil
		}
		key := tallyKey{r.Partition, t.Symbol}
		if first, any := c.first[r.Partition]; any && r.Offset < first {
			c.expired[key]++
			// The stream once had it; count it there so that the rest compares.
			c.stream.add(key, r.Offset, checksum(p, &t))
		}
		c.kafka.add(key, r.Offset, checksum(p, &t))
		return nil
	})
}

func (c *comparison) readDatabase(ctx context.Context) error {
	upTo := make(map[streamflow.Partition]int64)
	for number, end := range c.end {
		upTo[streamflow.Partition{Topic: c.s.Topic, Number: number}] = end - 1
	}
	return c.db.Scan(ctx, upTo, func(m streamflow.Mirrored) error {
		if c.in(m.Position) && !c.old(&m.Tick) {
			c.database.add(tallyKey{m.Position.Partition, m.Tick.Symbol}, m.Position.Offset, checksum(m.Position, &m.Tick))
		}
		return nil
	})
}

func (c *comparison) report(waited string) *report {
	r := &report{Marks: c.end, Waited: waited, Lost: c.lost}
	for _, key := range keys(c.kafka, c.stream, c.database) {
		row := row{tallyKey: key, Kafka: value(c.kafka[key]), Stream: value(c.stream[key]), Expired: c.expired[key]}
		row.Wrong = differ(row.Wrong, "JetStream", row.Kafka, row.Stream)
		if key.Symbol == "" {
			r.DeadLetters += row.Kafka.Count
		} else {
			database := value(c.database[key])
			row.Database = &database
			row.Wrong = differ(row.Wrong, "the database", row.Kafka, database)
			r.Ticks += row.Kafka.Count
		}
		if len(row.Wrong) > 0 {
			r.Differences++
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

func value(t *tally) tally {
	if t == nil {
		return tally{}
	}
	return *t
}

// differ says in words how a store differs from Kafka.
func differ(wrong []string, store string, want, got tally) []string {
	switch {
	case got.Count < want.Count:
		wrong = append(wrong, fmt.Sprintf("%s lacks %d", store, want.Count-got.Count))
	case got.Count > want.Count:
		wrong = append(wrong, fmt.Sprintf("%s has %d too many", store, got.Count-want.Count))
	case got.Sum != want.Sum:
		wrong = append(wrong, store+" holds other content")
	}
	if got.Disorder > 0 {
		wrong = append(wrong, fmt.Sprintf("%s has %d doubled, out of order or under a wrong subject", store, got.Disorder))
	}
	return wrong
}
