package api

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// trip is a journey that is being put together.
type trip struct {
	s        *Server
	p        streamflow.Position
	ticks    bool // it is a tick
	record   *Record
	row      *streamflow.Mirrored
	message  *Entry // as it stands in the stream
	produced time.Time

	mu    sync.Mutex
	j     Journey
	fault error // of a server that could not be asked
}

// journey finds a message by its coordinates. Kafka, or the table, knows what
// it is about; with that the streams find it by a few reads, because the offsets
// of a partition only grow along a stream.
func (s *Server) journey(ctx context.Context, in *JourneyInput) (Journey, error) {
	t := &trip{s: s, p: streamflow.Position{Topic: in.Topic, Partition: in.Partition, Offset: in.Offset}}
	t.ticks = in.Topic == s.pipeline.topic()
	t.j = Journey{Position: t.p.String(), Hops: []JourneyHop{}, Results: []JourneyResult{}, Missing: []string{}}
	ctx, cancel := context.WithTimeout(ctx, 2*lookTimeout)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { t.readKafka(ctx) })
	wg.Go(func() { t.readTable(ctx) })
	wg.Wait()
	stream, subject := t.subject()
	if subject != "" {
		t.readStream(ctx, stream, subject)
	}
	if t.message == nil && t.record == nil && t.row == nil {
		t.readLetter(ctx)
	}
	switch {
	case t.message != nil:
		t.readResults(ctx)
		t.readFunctionLetters(ctx)
	case t.record != nil:
		t.readLetter(ctx)
	}
	if t.message == nil && t.record == nil && t.row == nil && t.j.Letter == nil {
		if t.fault != nil {
			return Journey{}, t.fault
		}
		return Journey{}, huma.Error404NotFound("nothing is known of " + t.p.String() + ": " + strings.Join(t.j.Missing, "; "))
	}
	t.tell()
	return t.j, nil
}

// missing notes where it was looked for in vain.
func (t *trip) missing(where string, err error, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.fault, why = err, err.Error()
	}
	t.j.Missing = append(t.j.Missing, where+": "+why)
}

func (t *trip) readKafka(ctx context.Context) {
	log := t.s.config.Operations.Log
	if log == nil {
		t.missing("kafka", notJoined(serverKafka), "")
		return
	}
	found, err := ask(ctx, t.s, serverKafka, func(ctx context.Context) (*Record, error) {
		r, ok, err := log.Record(ctx, t.p)
		if !ok || err != nil {
			return nil, err
		}
		return &r, nil
	})
	if err != nil || found == nil {
		t.missing("kafka", err, "it holds no record there, or not any more")
		return
	}
	t.record, t.produced = found, found.Time
}

func (t *trip) readTable(ctx context.Context) {
	table := t.s.config.Operations.Table
	if !t.ticks {
		return
	}
	if table == nil {
		t.missing("database", notJoined("database"), "")
		return
	}
	found, err := ask(ctx, t.s, "the database", func(ctx context.Context) (*streamflow.Mirrored, error) {
		m, ok, err := table.At(ctx, t.p)
		if !ok || err != nil {
			return nil, err
		}
		return &m, nil
	})
	if err != nil || found == nil {
		t.missing("database", err, "it is not stored, or not yet")
		return
	}
	t.row = found
}

// subject tells under which subject of which stream it is mirrored, "" if it is
// not known what it is about.
func (t *trip) subject() (stream, subject string) {
	if !t.ticks {
		var e struct{ Type string }
		if t.record != nil && json.Unmarshal(t.record.json(), &e) == nil && e.Type != "" {
			return streamflow.StreamEvents, streamflow.EventSubject(t.p.Topic, e.Type)
		}
		return "", ""
	}
	switch {
	case t.row != nil:
		t.j.Symbol = t.row.Tick.Symbol
	case t.record != nil:
		if tick, err := streamflow.DecodeTick(t.record.json(), t.record.Key, streamflow.AnyTime); err == nil {
			t.j.Symbol = tick.Symbol
		}
	}
	if t.j.Symbol == "" {
		return "", ""
	}
	return streamflow.StreamTicks, streamflow.TickSubject(t.j.Symbol)
}

// caused asks a stream for what the message has caused on a subject.
func (t *trip) caused(ctx context.Context, stream, subject string) []Entry {
	streams, err := t.s.streams()
	if err != nil {
		t.missing("stream "+stream, err, "")
		return nil
	}
	found, err := ask(ctx, t.s, serverNATS, func(ctx context.Context) ([]Entry, error) { return streams.Caused(ctx, stream, subject, t.p) })
	if err != nil {
		t.missing("stream "+stream, err, "")
	}
	return found
}

func (t *trip) readStream(ctx context.Context, stream, subject string) {
	for _, e := range t.caused(ctx, stream, subject) {
		if e.Cause == t.p {
			t.message = &e
			return
		}
	}
	t.missing("stream "+stream, nil, "it is not there: not mirrored yet, refused, or not kept any more")
}

// readLetter looks whether the bridge has refused it.
func (t *trip) readLetter(ctx context.Context) {
	for _, e := range t.caused(ctx, streamflow.StreamDeadLetters, streamflow.DeadLetterSubject(t.p.Topic)) {
		if e.Cause == t.p {
			t.letter(ctx, &e)
			return
		}
	}
}

// readFunctionLetters looks whether a function could not step it.
func (t *trip) readFunctionLetters(ctx context.Context) {
	streams, err := t.s.streams()
	if err != nil {
		return
	}
	found, err := ask(ctx, t.s, serverNATS, func(ctx context.Context) ([]Entry, error) {
		return streams.Newest(ctx, streamflow.StreamDeadLetters, "dlq.*."+streamflow.Token(t.p.String()))
	})
	if err != nil {
		t.missing("stream "+streamflow.StreamDeadLetters, err, "")
	}
	if len(found) > 0 {
		t.letter(ctx, &found[0])
	}
}

func (t *trip) letter(ctx context.Context, e *Entry) {
	letters := []DeadLetter{viewLetter(e, listedValue)}
	if err := t.s.mark(ctx, letters); err != nil {
		t.missing("marks of dead letters", err, "")
	}
	t.j.Letter = &letters[0]
}

// others are the functions that read such messages and publish to the stream
// that functions share. Each has an order of its own there.
func (t *trip) others(ctx context.Context) (names []string) {
	reads := streamflow.StreamEvents
	if t.ticks {
		reads = streamflow.StreamTicks
	}
	states, err := t.s.functionStates(ctx)
	if err != nil {
		t.missing("functions", err, "")
	}
	for i := range states {
		if states[i].Reads == reads && states[i].Writes == streamflow.StreamResults {
			names = append(names, states[i].Name)
		}
	}
	return names
}

// readResults asks each function that reads such messages for what it made of it.
func (t *trip) readResults(ctx context.Context) {
	type place struct{ stream, subject string }
	places := []place{}
	for _, name := range t.others(ctx) {
		places = append(places, place{streamflow.StreamResults, "results." + streamflow.Token(name) + ".*"})
	}
	if t.ticks {
		for _, i := range streamflow.Intervals {
			places = append(places, place{streamflow.StreamCandles, streamflow.CandleSubject(i, t.j.Symbol)})
		}
		places = append(places, place{streamflow.StreamIndicators, streamflow.IndicatorSubject(t.j.Symbol)},
			place{streamflow.StreamAlerts, streamflow.AlertSubject(t.j.Symbol)})
	}
	var wg sync.WaitGroup
	for _, at := range places {
		wg.Go(func() {
			found := t.caused(ctx, at.stream, at.subject)
			t.mu.Lock()
			defer t.mu.Unlock()
			for i := range found {
				// The next alert of a symbol has nothing to do with this tick; the next
				// candle, or indicators, count it in.
				if found[i].Cause == t.p || at.stream == streamflow.StreamCandles || at.stream == streamflow.StreamIndicators {
					t.j.Results = append(t.j.Results, t.result(&found[i]))
				}
			}
		})
	}
	wg.Wait()
	slices.SortFunc(t.j.Results, func(a, b JourneyResult) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Sequence, b.Sequence))
	})
}
