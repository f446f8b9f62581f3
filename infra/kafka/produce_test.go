package kafka

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/kafka/kafkatest"
)

func newProducer(t testing.TB, partitions int32) (*Producer, *kgo.Client, string) {
	t.Helper()
	client, c := connect(t)
	topic := kafkatest.Topic(t, "produce")
	if _, err := EnsureTopics(t.Context(), client, []Topic{{Name: topic, Partitions: partitions}}); err != nil {
		t.Fatal(err)
	}
	p, err := NewProducer(t.Context(), c, topic)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, client, topic
}

func TestProducer(t *testing.T) {
	p, client, topic := newProducer(t, 3)
	// What murmur2 says; a Java producer sends these keys to the same places.
	keys := []string{"AAPL", "MSFT", "GOOGL", "AMZN", "TSLA"}
	began := time.Now().Truncate(time.Millisecond)
	const rounds = 2_000
	for k := range rounds {
		for _, key := range keys {
			if err := p.Send(t.Context(), []byte(key), fmt.Appendf(nil, "%d", k)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := p.Produced(); n != int64(rounds*len(keys)) {
		t.Errorf("%d produced, want %d", n, rounds*len(keys))
	}
	_, end, err := Marks(t.Context(), client, topic)
	if err != nil {
		t.Fatal(err)
	}
	next := make(map[string]int)
	hasher := kgo.KafkaHasher(murmur2)
	err = Scan(t.Context(), client, topic, end, func(r *kgo.Record) error {
		key := string(r.Key)
		if want := fmt.Sprint(next[key]); string(r.Value) != want {
			return fmt.Errorf("%s: %s, want %s", key, r.Value, want)
		}
		next[key]++
		if want := int32(hasher(r.Key, 3)); r.Partition != want {
			return fmt.Errorf("%s is in partition %d, want %d", key, r.Partition, want)
		}
		if r.Timestamp.Before(began) || r.Timestamp.After(time.Now()) {
			return fmt.Errorf("timestamp %s is not when it was produced", r.Timestamp)
		}
		return nil
	})
	if err != nil || len(next) != len(keys) || next["TSLA"] != rounds {
		t.Errorf("%v, %v", next, err)
	}
}

// murmur2 as in Java's org.apache.kafka.common.utils.Utils.
func murmur2(b []byte) uint32 {
	const m = 0x5bd1e995
	h := 0x9747b28c ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		k *= m
		k ^= k >> 24
		h = h*m ^ k*m
	}
	for i := len(b) - 1; i >= 0; i-- {
		h ^= uint32(b[i]) << (8 * i)
		if i == 0 {
			h *= m
		}
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

func TestLostRecordIsAnError(t *testing.T) {
	p, _, _ := newProducer(t, 1)
	if err := p.Send(t.Context(), nil, make([]byte, 2<<20)); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("%v, want that the message is too large", err)
	}
	if err := p.Send(t.Context(), nil, nil); !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("%v, want the first error for ever", err)
	}
}

// TestEndedContext stops a Send that waits for room, and nothing else.
func TestEndedContext(t *testing.T) {
	p, _, _ := newProducer(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Send(ctx, nil, []byte("there is room")); err != nil {
		t.Error(err)
	}
	if err := p.Flush(t.Context()); err != nil || p.Produced() != 1 {
		t.Errorf("%d produced, %v", p.Produced(), err)
	}
	for range maxBuffered {
		p.room <- struct{}{}
	}
	if err := p.Send(ctx, nil, []byte("no room")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that the context ended", err)
	}
}

// BenchmarkProduce sends ticks of ordinary size.
func BenchmarkProduce(b *testing.B) {
	p, _, _ := newProducer(b, 3)
	keys := [][]byte{[]byte("AAPL"), []byte("MSFT"), []byte("GOOGL"), []byte("AMZN"), []byte("TSLA")}
	value := []byte(`{"symbol":"AAPL","price":230.05,"volume":129,"timestamp":"2026-03-02T15:01:00.123456Z","exchange":"XNAS","bid":230.05,"ask":230.06}`)
	b.ReportAllocs()
	k := 0
	for b.Loop() {
		if err := p.Send(b.Context(), keys[k%5], value); err != nil {
			b.Fatal(err)
		}
		k++
	}
	if err := p.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(k)/b.Elapsed().Seconds(), "ticks/s")
}
