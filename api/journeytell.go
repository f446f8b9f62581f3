package api

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"streamflow"
)

// result shows a result; the hops of an exact one become hops of the journey.
func (t *trip) result(e *Entry) JourneyResult {
	r := JourneyResult{
		Subject: e.Subject, Kind: kindOfEntry(e), Exact: e.Cause == t.p, Cause: e.Cause.String(), Output: e.Output,
		Sequence: e.Sequence, At: e.Stored.UTC(), Data: jsonOf(e.Data),
	}
	if produced, ok := streamflow.FindHop(t.message.Hops, streamflow.HopKafka); ok {
		after := milliseconds(e.Stored.Sub(produced))
		r.After = &after
	}
	hops := streamflow.ParseHops(e.Hops)
	if !r.Exact || len(hops) == 0 {
		return r
	}
	switch last := hops[len(hops)-1]; last.Name {
	case streamflow.HopKafka, streamflow.HopBridge:
	default:
		t.hop(last.Name, last.At, hopStream)
		t.hop(last.Name+".published", e.Stored, last.Name)
	}
	return r
}

// hop notes a moment; of one that is known already, the earlier counts.
func (t *trip) hop(name string, at time.Time, since string) {
	if at.IsZero() {
		return
	}
	for i := range t.j.Hops {
		if h := &t.j.Hops[i]; h.Name == name {
			if at.Before(h.At) {
				h.At = at.UTC()
			}
			return
		}
	}
	t.j.Hops = append(t.j.Hops, JourneyHop{Name: name, At: at.UTC(), Since: since})
}

// tell fills in what was found.
func (t *trip) tell() {
	j := &t.j
	switch {
	case t.message != nil:
		j.Subject, j.Sequence, j.Tick = t.message.Subject, t.message.Sequence, jsonOf(t.message.Data)
		for _, h := range streamflow.ParseHops(t.message.Hops) {
			since := ""
			if h.Name == streamflow.HopBridge {
				since = streamflow.HopKafka
			}
			t.hop(h.Name, h.At, since)
		}
		t.hop(hopStream, t.message.Stored, streamflow.HopBridge)
		t.trace(t.message.Hops)
	case t.record != nil && t.ticks:
		// Other topics may hold what the bridge masks: that is never shown as it is.
		j.Tick = jsonOf(t.record.json())
	case t.row != nil:
		j.Tick, _ = StoredTick{t.row.Tick, t.row.Position}.MarshalJSON()
	}
	t.hop(streamflow.HopKafka, t.produced, "")
	if t.row != nil {
		t.hop(streamflow.FunctionArchive, t.row.Stored, hopStream)
	}
	if l := j.Letter; l != nil {
		name := "refused"
		if l.Function != "" {
			name = l.Function + ".refused"
		}
		t.hop(name, l.Time, streamflow.HopKafka)
	}
	slices.SortStableFunc(j.Hops, func(a, b JourneyHop) int { return a.At.Compare(b.At) })
	at := make(map[string]time.Time, len(j.Hops))
	for _, h := range j.Hops {
		at[h.Name] = h.At
	}
	for i := range j.Hops {
		h := &j.Hops[i]
		h.Total = milliseconds(h.At.Sub(j.Hops[0].At))
		if since, ok := at[h.Since]; ok {
			after := milliseconds(h.At.Sub(since))
			h.After = &after
		} else {
			h.Since = ""
		}
	}
	slices.SortFunc(j.Missing, strings.Compare)
}

// trace notes the trace of a message with those hops, if it is traced.
func (t *trip) trace(hops string) {
	tracer := t.s.config.Tracer
	if tracer == nil {
		return
	}
	if trace, ok := tracer.Trace(&streamflow.Message{Position: t.p, Hops: hops}); ok {
		t.j.TraceID = hex.EncodeToString(trace.ID[:])
	}
}
