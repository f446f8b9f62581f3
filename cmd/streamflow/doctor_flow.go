package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"streamflow"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
)

func (x *examination) nats(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	js, err := x.c.natsFlags.connect("doctor", x.log)
	if err != nil {
		x.d.fail("nats connection", "Correct NATS_URL and the credentials, or start (or upgrade) the server.", "%v", err)
		return
	}
	x.js = js
	s, err := js.ExamineServer(ctx)
	if err != nil {
		x.d.fail("nats connection", "Switch JetStream on, and give the account a limit on storage that is not 0.", "%v", err)
		return
	}
	where := s.Name
	if s.Cluster != "" {
		where += " of cluster " + s.Cluster
	}
	x.d.ok("nats connection", "nats-server %s, %s, round trip %s", s.Version, where, s.RoundTrip.Round(10*time.Microsecond))
	x.streams(ctx)
	if s.ClockKnown {
		x.c.skew(x.d, "nats clock", s.Ahead, s.RoundTrip)
	}
	if s.Limit > 0 {
		x.d.filled("nats disk", "Raise the limit of the account, or lower KEEP_TICKS and KEEP_BYTES and run `streamflow topics`.", "JetStream's storage", s.Used, s.Limit)
	} else {
		x.d.ok("nats disk", "JetStream stores %s; the account has no limit, the server's is that of its disk", bytesInWords(s.Used))
	}
}

// streams holds streams and buckets against what they should be.
func (x *examination) streams(ctx context.Context) {
	streams, buckets, err := x.js.Examine(ctx, x.c.limits())
	if err != nil {
		x.d.unknown("nats streams", err)
		return
	}
	good := 0
	for _, s := range streams {
		check, before := "stream "+s.Name, len(x.d.Findings)
		if s.Missing {
			x.d.fail(check, runTopics+" Bridge and functions then fill it from Kafka.", "it is missing")
			continue
		}
		if s.Fault != nil {
			x.d.fail(check, "Remove the stream and run `streamflow rebuild`.", "%v", s.Fault)
		}
		if len(s.Differences) > 0 {
			x.d.warn(check, runTopics, "it differs: %s", strings.Join(s.Differences, ", "))
		}
		if s.Clustered && s.Leader == "" {
			x.d.fail(check, "Start the servers that hold its replicas: more than half must be there.", "it has no leader: nothing can be written to it")
		}
		if len(s.Behind) > 0 {
			x.d.warn(check, "Start the server, or look at its disk and network.", "of its %d replicas, %s", s.Replicas, strings.Join(s.Behind, ", "))
		}
		if len(x.d.Findings) == before {
			good++
		}
	}
	x.d.most("nats streams", good, len(streams), "are as they should be: subjects, limits, replicas, leaders")
	for _, b := range buckets {
		if b.Missing {
			x.d.fail("bucket "+b.Name, runTopics, "it is missing")
		}
	}
}

// flow looks twice at everything that moves.
func (x *examination) flow(ctx context.Context) {
	if x.js == nil {
		return
	}
	before := x.look(ctx)
	select {
	case <-ctx.Done():
		return
	case <-time.After(x.c.Watch):
	}
	after := x.look(ctx)
	x.bridge(ctx, before, after)
	x.functions(ctx, before, after)
	x.letters(ctx)
}

// moving is what moves, as it was at one time.
type moving struct {
	waiting map[string]int64 // records that are not mirrored, by topic
	next    map[string]int64 // the sum of the cursors, by topic
	lagErr  error
	streams []jetstream.StreamLook
	err     error
}

func (x *examination) look(ctx context.Context) (m moving) {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	m.waiting, m.next = make(map[string]int64), make(map[string]int64)
	if x.client != nil {
		m.lagErr = x.cursors(ctx, &m)
	}
	m.streams, m.err = x.js.Look(ctx)
	return m
}

// cursors counts what the bridge has not mirrored: from its cursors, not from the
// offsets of the group, by which it does not go.
func (x *examination) cursors(ctx context.Context, m *moving) error {
	for _, topic := range x.c.sources() {
		start, end, err := kafka.Marks(ctx, x.client, topic)
		if err != nil {
			if topic == x.c.Topic {
				return err
			}
			continue // nobody has to have it; that it is missing is said elsewhere
		}
		mirror := x.js.Ticks()
		if topic != x.c.Topic {
			mirror = x.js.Events()
		}
		for number := range int32(len(end)) {
			p := streamflow.Partition{Topic: topic, Number: number}
			good, err := mirror.Cursor(ctx, p)
			if err != nil {
				return err
			}
			refused, err := x.js.DeadLetters().Cursor(ctx, p)
			if err != nil {
				return err
			}
			next := max(good.Next, refused.Next, start[number])
			m.next[topic] += next
			m.waiting[topic] += max(end[number]-next, 0)
		}
	}
	return nil
}

// bridge judges whether somebody mirrors.
func (x *examination) bridge(ctx context.Context, before, after moving) {
	if x.client == nil {
		return
	}
	members, state, err := kafka.GroupMembers(ctx, x.client, x.c.Group)
	if err = errors.Join(err, before.lagErr, after.lagErr); err != nil {
		x.d.unknown("bridge", err)
		return
	}
	var waiting, grown, moved int64
	var words []string
	for _, topic := range slices.Sorted(maps.Keys(after.waiting)) {
		waiting += after.waiting[topic]
		grown += after.waiting[topic] - before.waiting[topic]
		moved += after.next[topic] - before.next[topic]
		if n := after.waiting[topic]; n > 0 {
			words = append(words, fmt.Sprintf("%d of %s", n, topic))
		}
	}
	lag := "nothing waits"
	if waiting > 0 {
		lag = "records that wait: " + strings.Join(words, ", ")
	}
	// Up to one record of each partition may be the mark of a transaction.
	marks := int64(streamflow.TickPartitions * len(after.waiting))
	switch {
	case members == 0:
		x.d.fail("bridge", "Start `streamflow bridge`, or name its group with CONSUMER_GROUP.", "group %s is %s and has no members: nobody mirrors Kafka; %s", x.c.Group, strings.ToLower(state), lag)
	case waiting > marks && moved == 0:
		x.d.fail("bridge", "Read its log and its /ready: it is there and stores nothing.", "%d bridges; in %s not one record of those that wait was mirrored; %s", members, x.c.Watch, lag)
	case waiting > marks && grown > 0:
		x.d.warn("bridge", "Start more bridges, up to one for each partition.", "%d bridges; %s, %d more than %s ago", members, lag, grown, x.c.Watch)
	default:
		x.d.ok("bridge", "%d bridges in group %s (%s); %s; %.0f records a second", members, x.c.Group, strings.ToLower(state), lag, float64(moved)/max(x.c.Watch.Seconds(), 1e-3))
	}
}

// letters judges dead letters.
func (x *examination) letters(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	count, newest, err := x.js.Letters(ctx)
	if err != nil {
		x.d.unknown("dead letters", err)
		return
	}
	age := time.Since(newest)
	switch {
	case count == 0:
		x.d.ok("dead letters", "none")
	case age < 24*time.Hour:
		x.d.warn("dead letters", "Read them: the page's screen of dead letters or GET /api/deadletters tells the reasons; what is corrected can be sent again.",
			"%d, the newest %s old", count, age.Round(time.Second))
	default:
		x.d.ok("dead letters", "%d, none of the last 24 hours", count)
	}
}
