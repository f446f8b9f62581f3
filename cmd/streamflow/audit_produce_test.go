//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/kafka"
)

// spec is what a record that the producer has made should become. It is written
// down from what the producer knows, not from what the program's decoder says.
type spec struct {
	key, value []byte
	headers    []kgo.RecordHeader
	reason     string // "" for a good tick
	symbol     string
	price      float64
	volume     int64
	time       time.Time
	bid, ask   float64
}

// numberHeader carries a record's index among the specs.
const numberHeader = "audit-number"

// subjects are the symbols with the subjects that they must have.
var subjects = map[string]string{
	"AAPL": "ticks.AAPL", "MSFT": "ticks.MSFT", "GOOG": "ticks.GOOG", "TSLA": "ticks.TSLA", "BF-B": "ticks.BF-B",
	"BRK.B": "ticks.BRK%2EB", "BTC/USD": "ticks.BTC%2FUSD", "^GSPC": "ticks.%5EGSPC", "EUR=X": "ticks.EUR%3DX",
	"ES_F": "ticks.ES_F", "a": "ticks.a", "X:Y+Z&W#V": "ticks.X%3AY%2BZ%26W%23V", silentSymbol: "ticks.SILENT",
}

var symbols = func() (list []string) {
	for s := range subjects {
		list = append(list, s)
	}
	return list
}()

// goodSpec makes a good tick, in one of the forms that are allowed.
func goodSpec(r *rand.Rand, n int) spec {
	s := spec{symbol: symbols[r.IntN(len(symbols))], price: float64(r.IntN(1e6)+1) / 128, volume: r.Int64N(1e6)}
	at := time.Now().Add(-time.Duration(r.IntN(3600)) * time.Second)
	var stamp string
	switch r.IntN(3) {
	case 0:
		s.time = at.Truncate(time.Microsecond)
		stamp = strconv.Quote(s.time.UTC().Format(time.RFC3339Nano))
	case 1:
		s.time = at.Truncate(time.Second)
		stamp = strconv.FormatInt(s.time.Unix(), 10)
	default:
		s.time = at.Truncate(time.Millisecond)
		stamp = strconv.FormatInt(s.time.UnixMilli(), 10)
	}
	price := strconv.FormatFloat(s.price, 'g', -1, 64)
	more := ""
	if r.IntN(2) == 0 {
		s.bid, s.ask = s.price/2, s.price*2
		more = fmt.Sprintf(`,"bid":%s,"ask":%s`, strconv.FormatFloat(s.bid, 'g', -1, 64), strconv.FormatFloat(s.ask, 'g', -1, 64))
	}
	s.value = fmt.Appendf(nil, `{"symbol":%q, "price":%s,"volume":%d,"timestamp":%s%s,"n":%d}`, s.symbol, price, s.volume, stamp, more, n)
	if r.IntN(4) > 0 {
		s.key = []byte(s.symbol)
	}
	return s
}

// badSpecs are records that must be refused, by the reason.
var badSpecs = []struct {
	reason, key, value string
}{
	{"not_json", "AAPL", `{"symbol":"AAPL",`},
	{"not_json", "", ``},
	{"not_json", "x", `[1,2]`},
	{"not_utf8", "AAPL", "{\"symbol\":\"AA\xff\xfe\"}"},
	{"missing_field", "", `{"symbol":"AAPL","price":1,"volume":1}`},
	{"missing_field", "\x00\xff odd & = key", `{"symbol":null,"price":1,"volume":1,"timestamp":1}`},
	{"unparsable_field", "", `{"symbol":"AAPL","price":"one","volume":1,"timestamp":1}`},
	{"unparsable_field", "", `{"symbol":"AAPL","price":1,"volume":1,"timestamp":"yesterday"}`},
	{"bad_symbol", "", `{"symbol":"NO SPACE","price":1,"volume":1,"timestamp":1}`},
	{"bad_price", "", `{"symbol":"AAPL","price":0,"volume":1,"timestamp":1}`},
	{"bad_price", "", `{"symbol":"AAPL","price":1e999,"volume":1,"timestamp":1}`},
	{"bad_volume", "", `{"symbol":"AAPL","price":1,"volume":-1,"timestamp":1}`},
	{"future_timestamp", "", `{"symbol":"AAPL","price":1,"volume":1,"timestamp":4102444800}`},
	{"key_mismatch", "MSFT", `{"symbol":"AAPL","price":1,"volume":1,"timestamp":1}`},
}

func badSpec(r *rand.Rand) spec {
	if r.IntN(40) == 0 {
		return spec{reason: "too_large", value: bytes.Repeat([]byte("x"), 70<<10)}
	}
	b := badSpecs[r.IntN(len(badSpecs))]
	s := spec{reason: b.reason, key: []byte(b.key), value: []byte(b.value)}
	if r.IntN(2) == 0 {
		s.headers = []kgo.RecordHeader{{Key: "trace", Value: []byte{0, 1, 0xff, '\r', '\n', '%', '&', '='}}, {Key: "ключ", Value: []byte("v")}, {Key: "trace", Value: nil}}
	}
	return s
}

// producer writes ticks until it is told to stop, through whatever happens to
// Kafka.
type producer struct {
	client *kgo.Client
	good   func(r *rand.Rand, n int) spec
	stop   context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	specs  []spec
	acked  map[place]int // by where Kafka said that it is
	acks   []ack         // in the order in which they came
	failed int           // records of which nobody knows whether they are there
}

// ack is Kafka's word that it has a record.
type ack struct {
	place
	good       bool
	sent, came time.Time
}

// place is where a record stands.
type place struct {
	partition int32
	offset    int64
}

func (p place) String() string { return fmt.Sprintf("%d/%d", p.partition, p.offset) }

// produce starts a producer of about rate records a second.
func (w *world) produce(seed uint64, rate int) *producer {
	return w.produceOf(seed, rate, goodSpec)
}

// produceOf starts one whose good ticks are made by good.
func (w *world) produceOf(seed uint64, rate int, good func(r *rand.Rand, n int) spec) *producer {
	w.t.Helper()
	// With the patience that all clients of the program have.
	client, err := kafka.Connect(w.t.Context(), kafka.Config{Brokers: kafka.Brokers(w.kafka)},
		kgo.DefaultProduceTopic("stock_ticks"), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.MaxBufferedRecords(5000), kgo.ProducerLinger(2*time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &producer{client: client, good: good, stop: stop, done: make(chan struct{}), acked: make(map[place]int)}
	w.t.Cleanup(func() { stop(); <-p.done; client.Close() })
	go p.run(ctx, rand.New(rand.NewPCG(seed, 2)), rate)
	return p
}

func (p *producer) run(ctx context.Context, r *rand.Rand, rate int) {
	defer close(p.done)
	const beat = 10 * time.Millisecond
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		for range r.IntN(2*rate/int(time.Second/beat) + 1) {
			if !p.one(ctx, r) {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *producer) one(ctx context.Context, r *rand.Rand) bool {
	p.mu.Lock()
	n := len(p.specs)
	s := p.good(r, n)
	if n > 0 && r.IntN(20) == 0 {
		s = badSpec(r)
	}
	s.headers = append(s.headers, kgo.RecordHeader{Key: numberHeader, Value: []byte(strconv.Itoa(n))})
	p.specs = append(p.specs, s)
	p.mu.Unlock()
	record := &kgo.Record{Key: s.key, Value: s.value, Headers: s.headers}
	// Not ctx: what is on its way when the producer stops is waited for.
	p.client.Produce(context.WithoutCancel(ctx), record, func(rec *kgo.Record, err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if err != nil {
			p.failed++
			return
		}
		at := place{rec.Partition, rec.Offset}
		p.acked[at] = n
		p.acks = append(p.acks, ack{at, s.reason == "", rec.Timestamp, time.Now()})
	})
	return ctx.Err() == nil
}

// finish stops the producer and waits until everything is answered.
func (p *producer) finish(t *testing.T) {
	t.Helper()
	p.stop()
	<-p.done
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.client.Flush(ctx); err != nil {
		t.Fatalf("the producer still waits for answers: %v", err)
	}
}

// count is how many records are acknowledged.
func (p *producer) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.acked)
}

// spec returns the record of that number.
func (p *producer) spec(headers []kgo.RecordHeader) (int, bool) {
	for _, h := range headers {
		if h.Key == numberHeader {
			n, err := strconv.Atoi(strings.TrimSpace(string(h.Value)))
			return n, err == nil && n < len(p.specs)
		}
	}
	return 0, false
}
