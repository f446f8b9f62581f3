//go:build cluster && linux

package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// recoverAtMost bounds how long two of three nodes may take to go on without
// the third. It is generous: what a busy machine needs is no fault.
const recoverAtMost = 2 * time.Minute

// recovery is what a fault did to the flow. A store has recovered when it holds,
// of each partition, a tick that was produced after the fault.
type recovery struct {
	fault        string
	at           time.Time
	first        map[int32]ack // the first good tick of each partition that was sent after it
	kafka        time.Duration // until Kafka had taken them all
	postgres     time.Duration
	whole        time.Duration // from the moment at which it was mended until all replicas were as they should be
	ticks, facts time.Duration // see [cluster.times]
}

// strike does harm, waits until ticks flow again through all of the system,
// makes good what can be made good, and waits until the clusters are whole and
// ticks still flow.
func (c *cluster) strike(p *producer, fault string, harm, heal func()) *recovery {
	c.t.Helper()
	r := &recovery{fault: fault, at: time.Now()}
	harm()
	c.recovers(p, r)
	if heal != nil {
		heal()
	}
	r.whole = c.whole()
	c.recovers(p, &recovery{fault: fault + ", and all are back", at: time.Now()})
	c.t.Logf("%s: Kafka takes ticks after %.1f s, PostgreSQL has them after %.1f s; whole %.1f s after it was mended",
		fault, r.kafka.Seconds(), r.postgres.Seconds(), r.whole.Seconds())
	return r
}

// recovers waits for ticks that were sent after the fault.
func (c *cluster) recovers(p *producer, r *recovery) {
	c.t.Helper()
	c.await(r.fault+": Kafka takes ticks", recoverAtMost, func() bool {
		r.first, r.kafka = p.since(r.at)
		return len(r.first) == streamflow.TickPartitions
	})
	c.await(r.fault+": they are in the database", recoverAtMost, func() bool { return c.archived(r.first) })
	r.postgres = time.Since(r.at)
	c.await(r.fault+": candles are made of them", recoverAtMost, func() bool { return c.candles.reached(r.first) })
}

// since returns the first good tick of each partition that was sent after a
// moment, and how long after it Kafka had taken the last of them.
func (p *producer) since(at time.Time) (first map[int32]ack, took time.Duration) {
	first = make(map[int32]ack)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.acks) - 1; i >= 0 && p.acks[i].came.After(at); i-- {
		if a := p.acks[i]; a.good && a.sent.After(at) {
			if before, ok := first[a.partition]; !ok || a.offset < before.offset {
				first[a.partition] = a
			}
		}
	}
	for _, a := range first {
		took = max(took, a.came.Sub(at))
	}
	return first, took
}

// archived says whether the archive has come so far. A database that is away
// has not.
func (c *cluster) archived(first map[int32]ack) bool {
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		return false
	}
	defer conn.Close(c.t.Context())
	for partition, a := range first {
		var reached bool
		if err := conn.QueryRow(c.t.Context(), `SELECT kafka_offset >= $1 FROM positions WHERE function = 'archive' AND topic = 'stock_ticks' AND partition = $2`,
			a.offset, partition).Scan(&reached); err != nil || !reached {
			return false
		}
	}
	return true
}

// times reads from the streams, when all is over, when they took the first ticks
// after each fault, and the first candles of them.
func (c *cluster) times(all []*recovery) {
	c.t.Helper()
	ticks, facts := only(c.stream(streamflow.StreamTicks), "ticks."), only(c.stream(streamflow.StreamCandles), "candles.")
	for _, r := range all {
		r.ticks, r.facts = tookUntil(ticks, r), tookUntil(facts, r)
	}
}

// tookUntil returns how long after the fault the last partition was there.
func tookUntil(messages []stored, r *recovery) (took time.Duration) {
	open := len(r.first)
	done := make(map[int32]bool)
	for _, m := range messages {
		at, ok := parsePosition(m.header.Get(streamflow.HeaderPosition))
		if ok && !done[at.partition] && r.first[at.partition].came.After(r.at) && at.offset >= r.first[at.partition].offset {
			done[at.partition] = true
			took = max(took, m.at.Sub(r.at))
			open--
		}
	}
	if open > 0 {
		return -1 // it never was
	}
	return took
}

// table prints what was measured.
func table(all []*recovery) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintln(w, "fault\tKafka\tTICKS\tPostgreSQL\tCANDLES\twhole again\t")
	for _, r := range all {
		fmt.Fprintf(w, "%s\t%.1f s\t%.1f s\t%.1f s\t%.1f s\t%.1f s\t\n", r.fault, r.kafka.Seconds(), r.ticks.Seconds(), r.postgres.Seconds(), r.facts.Seconds(), r.whole.Seconds())
	}
	_ = w.Flush()
	return b.String()
}
