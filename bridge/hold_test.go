package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/bridge"
)

// A registry that is away holds the partition that needs it, and no other; a
// bridge that is stopped meanwhile leaves nothing behind, and nothing is lost,
// doubled or refused.
func TestRegistryAway(t *testing.T) {
	r, reg := newRig(t, 2), newRegistry(t)
	v1 := reg.avro("ticks", avroTick)
	framed := func(n int) []byte {
		return v1(map[string]any{"symbol": "AVRO", "price": "1", "volume": int64(n), "timestamp": time.Unix(1735830245, 0)})
	}
	want := make(map[streamflow.Position]string)
	plain := func(partition int32, n int) streamflow.Position {
		p := r.send(&kgo.Record{Partition: partition, Value: tick(n)}, "")
		want[p] = string(r.sent[p].Value)
		return p
	}
	cursor := func(partition int32) int64 {
		cur, err := r.js.Ticks().Cursor(t.Context(), streamflow.Partition{Topic: r.topic, Number: partition})
		if err != nil {
			t.Fatal(err)
		}
		return cur.Next
	}
	reg.down.Store(true)
	before := plain(0, 1)
	for i := range 50 {
		want[r.send(&kgo.Record{Value: framed(i)}, "")] = fmt.Sprintf(`{"symbol":"AVRO","price":1,"volume":%d,"timestamp":"2025-01-02T15:04:05Z"}`, i)
		plain(0, i)
	}
	for range 2 {
		fetched := new(polled)
		b := r.bridge(reg.use, func(c *bridge.Config) {
			c.Connect = func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
				return r.open(ctx, append(opts, kgo.WithHooks(fetched))...)
			}
		})
		r.until("the partition is held", func() bool { return b.metric(t, "held") == 1 && cursor(0) == before.Offset+1 })
		already := fetched.n.Load()
		for i := range 20 { // more than may wait for a worker, one by one
			p := plain(1, i)
			plain(0, i)
			r.until("the other partition", func() bool { return cursor(1) == p.Offset+1 })
		}
		if n := b.metric(t, "held"); n != 1 || cursor(0) != before.Offset+1 {
			t.Errorf("%v are held, the cursor is at %d", n, cursor(0))
		}
		if n := fetched.n.Load() - already; n > 5 { // what was on its way
			t.Errorf("%d records of the held partition were fetched", n)
		}
		if err := b.stop(); err != nil {
			t.Fatal(err)
		}
	}
	b := r.bridge(reg.use)
	r.until("the partition is held", func() bool { return b.metric(t, "held") == 1 })
	reg.down.Store(false)
	r.mirrored()
	r.become(want)
	r.letters()
	if b.metric(t, "held") != 0 || b.metric(t, "restarts_total") != 0 {
		t.Error("it is held still, or began anew")
	}
	plain(0, 7) // it is fetched again
	r.mirrored()
	r.become(want)
}

// polled counts the records of partition 0 that a client has polled.
type polled struct{ n atomic.Int64 }

// OnFetchRecordUnbuffered implements [kgo.HookFetchRecordUnbuffered].
func (p *polled) OnFetchRecordUnbuffered(r *kgo.Record, polled bool) {
	if polled && r.Partition == 0 {
		p.n.Add(1)
	}
}

// stuck is a target that stores nothing.
type stuck struct {
	bridge.Target
	tried chan struct{}
}

func (s stuck) Commit(_ context.Context, _ streamflow.Partition, messages []streamflow.Message, _ streamflow.Cursor) (uint64, error) {
	if len(messages) > 0 {
		select {
		case s.tried <- struct{}{}:
		default:
		}
	}
	return 0, errors.New("stuck")
}

// A bridge dies between its dead letters and its ticks, and the next one has a
// registry that does not know the schema: what was good must not be skipped.
func TestVerdictsAreKept(t *testing.T) {
	r, reg, other := newRig(t, 1), newRegistry(t), newRegistry(t)
	v1 := reg.avro("ticks", avroTick)
	value := v1(map[string]any{"symbol": "AVRO", "price": "1", "volume": int64(1), "timestamp": time.Unix(1735830245, 0)})
	want := map[streamflow.Position]string{
		r.send(&kgo.Record{Value: value}, ""): `{"symbol":"AVRO","price":1,"volume":1,"timestamp":"2025-01-02T15:04:05Z"}`,
	}
	r.send(&kgo.Record{Value: []byte("{}")}, streamflow.ReasonMissing)
	tried := make(chan struct{}, 1)
	a := r.bridge(reg.use, func(c *bridge.Config) { c.Routes[0].Target = stuck{c.Routes[0].Target, tried} })
	<-tried // its letters are committed
	_ = a.stop()
	b := r.bridge(other.use)
	r.until("the partition is held", func() bool { return b.metric(t, "held") == 1 })
	_ = b.stop()
	last := r.send(&kgo.Record{Value: tick(1)}, "")
	want[last] = string(r.sent[last].Value)
	r.bridge(reg.use)
	r.mirrored()
	r.become(want)
	r.letters()
}

// slow is a registry that answers late that it is away, until it is there.
type slow struct {
	asked, answer chan struct{}
	there         atomic.Bool
}

func (s *slow) JSON(_ context.Context, value []byte, _ []streamflow.Member) ([]byte, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	<-s.answer
	if !s.there.Load() {
		return nil, errors.New("away")
	}
	return value[1:], nil
}

// While a worker waits for the answer more comes than it can take, and the rest
// of the bridge waits for it: that must end when it is held.
func TestHeldWorkerKeepsNobodyWaiting(t *testing.T) {
	r := newRig(t, 2)
	values, fetched := &slow{asked: make(chan struct{}, 1), answer: make(chan struct{})}, new(polled)
	want := make(map[streamflow.Position]string)
	send := func(partition int32, value []byte, text string) streamflow.Position {
		p := r.send(&kgo.Record{Partition: partition, Value: value}, "")
		want[p] = text
		return p
	}
	first := tick(1)
	send(0, append([]byte{0}, first...), string(first))
	r.bridge(func(c *bridge.Config) {
		c.Values = values
		c.Connect = func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
			return r.open(ctx, append(opts, kgo.WithHooks(fetched))...)
		}
	})
	<-values.asked
	for i := range 2 { // one that waits for the worker, and one with which the bridge waits
		before := fetched.n.Load()
		plain := tick(i)
		send(0, plain, string(plain))
		r.until("a fetch", func() bool { return fetched.n.Load() > before })
	}
	close(values.answer)
	plain := tick(3)
	other := send(1, plain, string(plain))
	r.until("the other partition", func() bool {
		cur, err := r.js.Ticks().Cursor(t.Context(), other.In())
		return err == nil && cur.Next == other.Offset+1
	})
	values.there.Store(true)
	r.mirrored()
	r.become(want)
}
