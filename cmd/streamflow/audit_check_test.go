//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// audit compares all stores with Kafka's log, record by record.
type audit struct {
	w       *world
	p       *producer
	log     map[int32][]*kgo.Record
	good    map[place]*spec // of all good records in the log
	bad     map[place]*spec
	records map[place]*kgo.Record
	wrong   []string
	wrongs  int
}

// fewWrongs is how many differences are named.
const fewWrongs = 40

func (a *audit) fault(format string, args ...any) {
	if a.wrongs++; a.wrongs <= fewWrongs {
		a.wrong = append(a.wrong, fmt.Sprintf(format, args...))
	}
}

// readLog takes Kafka's log as the truth, after it has made sure that all that
// was acknowledged is in it, and as it was sent.
func (w *world) readLog(p *producer) *audit {
	w.t.Helper()
	a := &audit{w: w, p: p, log: w.kafkaLog("stock_ticks"),
		good: make(map[place]*spec), bad: make(map[place]*spec), records: make(map[place]*kgo.Record)}
	numbers := make(map[place]int)
	for partition, records := range a.log {
		for _, r := range records {
			at := place{partition, r.Offset}
			n, ok := p.spec(r.Headers)
			if !ok {
				a.fault("Kafka %v holds a record that was never sent", at)
				continue
			}
			s := &p.specs[n]
			if !bytes.Equal(r.Value, s.value) || !bytes.Equal(r.Key, s.key) {
				a.fault("Kafka %v holds other bytes than were sent", at)
			}
			numbers[at], a.records[at] = n, r
			if s.reason == "" {
				a.good[at] = s
			} else {
				a.bad[at] = s
			}
		}
	}
	for at, n := range p.acked {
		if got, ok := numbers[at]; !ok || got != n {
			a.fault("Kafka has acknowledged record %d at %v and does not have it there", n, at)
		}
	}
	return a
}

// parsePosition reads header Kafka-Position.
func parsePosition(text string) (place, bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 || parts[0] != "stock_ticks" {
		return place{}, false
	}
	partition, err1 := strconv.Atoi(parts[1])
	offset, err2 := strconv.ParseInt(parts[2], 10, 64)
	return place{int32(partition), offset}, err1 == nil && err2 == nil
}

// once checks that the places of a store are those of want, each once, and, if
// ordered, rising in each partition.
func (a *audit) once(store string, got []place, want map[place]*spec, ordered bool) {
	seen, last := make(map[place]int), make(map[int32]int64)
	for _, at := range got {
		seen[at]++
		if want[at] == nil {
			a.fault("%s holds %v, which does not belong there", store, at)
		}
		if before, any := last[at.partition]; ordered && any && at.offset <= before {
			a.fault("%s has %v after offset %d", store, at, before)
		}
		last[at.partition] = at.offset
	}
	a.missing(store, seen, want)
	for at, n := range seen {
		if n > 1 {
			a.fault("%s holds %v %d times", store, at, n)
		}
	}
}

func (a *audit) missing(store string, seen map[place]int, want map[place]*spec) {
	var missing []place
	for at := range want {
		if seen[at] == 0 {
			missing = append(missing, at)
		}
	}
	slices.SortFunc(missing, func(x, y place) int {
		if x.partition != y.partition {
			return int(x.partition - y.partition)
		}
		return int(x.offset - y.offset)
	})
	for _, at := range missing {
		a.fault("%s lacks %v", store, at)
	}
	if len(missing) > fewWrongs {
		a.wrong = append(a.wrong, fmt.Sprintf("%s lacks %d in all, %v to %v", store, len(missing), missing[0], missing[len(missing)-1]))
	}
}

// ticks checks stream TICKS.
func (a *audit) ticks() {
	all := a.w.stream("TICKS")
	var got []place
	previous := make(map[int32]int64)
	for _, m := range only(all, "ticks.") {
		at, ok := parsePosition(m.header.Get("Kafka-Position"))
		if !ok {
			a.fault("TICKS message %d has position %q", m.sequence, m.header.Get("Kafka-Position"))
			continue
		}
		got = append(got, at)
		s := a.good[at]
		if s == nil {
			continue // counted by once
		}
		if !bytes.Equal(m.data, s.value) {
			a.fault("TICKS %v holds other bytes than Kafka", at)
		}
		if m.subject != subjects[s.symbol] {
			a.fault("TICKS %v stands under %s, want %s", at, m.subject, subjects[s.symbol])
		}
		want, any := previous[at.partition]
		if !any {
			want = -1
		}
		have := at.offset - 1
		if text := m.header.Get("Kafka-Previous"); text != "" {
			have, _ = strconv.ParseInt(text, 10, 64)
		}
		if have != want {
			a.fault("TICKS %v says that %d was before it, it was %d", at, have, want)
		}
		previous[at.partition] = at.offset
	}
	a.once("TICKS", got, a.good, true)
	// By subject: a cursor that a bridge moves while we read is seen twice, where
	// it was and where it is.
	cursors := make(map[string]bool)
	for _, m := range only(all, "cursor.") {
		cursors[m.subject] = true
	}
	if len(cursors) != len(a.log) {
		a.fault("TICKS holds %d cursors for %d partitions", len(cursors), len(a.log))
	}
}

// letters checks stream DLQ.
func (a *audit) letters() {
	var got []place
	for _, m := range only(a.w.stream("DLQ"), "dlq.") {
		at, ok := parsePosition(m.header.Get("Kafka-Position"))
		if !ok {
			a.fault("DLQ message %d has position %q", m.sequence, m.header.Get("Kafka-Position"))
			continue
		}
		got = append(got, at)
		s := a.bad[at]
		if s == nil {
			continue
		}
		if m.subject != "dlq.stock_ticks" || m.header.Get("Reason") != s.reason {
			a.fault("DLQ %v: %s, reason %q, want %q", at, m.subject, m.header.Get("Reason"), s.reason)
		}
		key, err := url.QueryUnescape(m.header.Get("Kafka-Key"))
		if err != nil || key != string(s.key) || !bytes.Equal(m.data, s.value) {
			a.fault("DLQ %v does not hold the key and the bytes of the record", at)
		}
	}
	a.once("DLQ", got, a.bad, true)
}

// returned checks topic stock_ticks_dlq: the record as it was, on the partition
// where it was, and behind its headers ours.
func (a *audit) returned() {
	var got []place
	for partition, records := range a.w.kafkaLog("stock_ticks_dlq") {
		for _, r := range records {
			text := make(map[string]string)
			for _, h := range r.Headers {
				text[h.Key] = string(h.Value)
			}
			at, ok := parsePosition(text["Kafka-Position"])
			if !ok || at.partition != partition {
				a.fault("stock_ticks_dlq %d/%d has position %q", partition, r.Offset, text["Kafka-Position"])
				continue
			}
			got = append(got, at)
			s := a.bad[at]
			if s == nil {
				continue
			}
			if text["Reason"] != s.reason || !bytes.Equal(r.Key, s.key) || !bytes.Equal(r.Value, s.value) || !sameHeaders(r.Headers, a.records[at].Headers) {
				a.fault("stock_ticks_dlq %v is not the record that was refused", at)
			}
		}
	}
	a.once("stock_ticks_dlq", got, a.bad, true)
}

// sameHeaders reports whether the first headers are those of want.
func sameHeaders(have, want []kgo.RecordHeader) bool {
	return len(have) >= len(want) && slices.EqualFunc(have[:len(want)], want, func(a, b kgo.RecordHeader) bool {
		return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
	})
}

// rows checks table stock_ticks and the archive's positions.
func (a *audit) rows() {
	var got []place
	for _, r := range a.w.table() {
		got = append(got, r.place)
		if s := a.good[r.place]; s != nil && !sameRow(r, s) {
			a.fault("stock_ticks %v is %+v, want %+v", r.place, r, *s)
		}
	}
	a.once("stock_ticks", got, a.good, false)
	last := make(map[int32]int64)
	for at := range a.good {
		last[at.partition] = max(last[at.partition], at.offset)
	}
	positions := a.w.positions()
	for partition, offset := range last {
		if positions[partition] != offset {
			a.fault("the archive's position in partition %d is %d, want %d", partition, positions[partition], offset)
		}
	}
}

func sameRow(r tickRow, s *spec) bool {
	quote := func(have *float64, want float64) bool {
		return have == nil && want == 0 || have != nil && *have == want
	}
	return r.symbol == s.symbol && math.Float64bits(r.price) == math.Float64bits(s.price) && r.volume == s.volume &&
		r.time.Equal(s.time.Truncate(time.Microsecond)) && quote(r.bid, s.bid) && quote(r.ask, s.ask)
}

// check runs every check and fails the test where anything differs.
func (a *audit) check(what string) {
	a.w.t.Helper()
	a.ticks()
	a.letters()
	a.returned()
	a.rows()
	if a.wrongs > 0 {
		a.w.t.Fatalf("%s: %d differences:\n%s", what, a.wrongs, strings.Join(a.wrong, "\n"))
	}
}

// settled waits until all have caught up with Kafka, proves it by `streamflow
// verify`, and then by code of its own.
func (w *world) settled(p *producer, what string) *audit {
	w.t.Helper()
	var out string
	var code int
	w.await("verify can reach everything", 2*time.Minute, func() bool {
		out, code = w.run("verify", "--wait", "60s")
		return code != exitFailed // a server may just be starting
	}, func() string { return out })
	if code != 0 {
		w.t.Errorf("%s: verify exits %d:\n%s", what, code, out)
	}
	a := w.readLog(p)
	w.await("the dead letters' way back", 2*time.Minute, func() bool {
		n := 0
		for _, records := range w.kafkaLog("stock_ticks_dlq") {
			n += len(records)
		}
		return n >= len(a.bad)
	})
	a.check(what)
	return a
}
