package jetstream_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/jetstream"
)

// breaker stands between a client and its server, and breaks the connection on
// which a certain question comes: the server has it, nobody hears the answer.
type breaker struct {
	question atomic.Pointer[[]byte] // nil breaks nothing
	broken   atomic.Int32
	url      string
	away     atomic.Bool // lets nobody in
	mu       sync.Mutex
	conns    []net.Conn
}

// cut breaks all connections.
func (b *breaker) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range b.conns {
		conn.Close()
	}
	b.conns = nil
}

func newBreaker(t *testing.T, server string) *breaker {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	b := &breaker{url: "nats://" + ln.Addr().String()}
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			if b.away.Load() {
				client.Close()
				continue
			}
			b.mu.Lock()
			b.conns = append(b.conns, client)
			b.mu.Unlock()
			go b.serve(client, to.Host)
		}
	}()
	return b
}

func (b *breaker) serve(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(client, server); client.Close() }()
	buffer := make([]byte, 64<<10) // questions are shorter, and are written whole
	for {
		n, err := client.Read(buffer)
		if q := b.question.Load(); q != nil && bytes.Contains(buffer[:n], *q) {
			b.question.Store(nil)
			b.broken.Add(1)
			client.Close()
			_, _ = server.Write(buffer[:n])
			return
		}
		if _, failed := server.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// A question whose answer is lost with the connection is not waited for for ever,
// whoever asks.
func TestLostAnswersAreNotWaitedFor(t *testing.T) {
	direct, server := start(t)
	cur, err := direct.Ticks().Claim(t.Context(), partition)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, direct.Ticks(), cur, 0, 99)
	b := newBreaker(t, server)
	c := connect(t, b.url)
	limits := jetstream.DefaultLimits
	limits.Age = time.Second
	if _, err := c.Ensure(t.Context(), limits); err != nil {
		t.Fatal(err)
	}
	time.Sleep(limits.Age + limits.Age/8) // what is there is to be trimmed
	for question, ask := range map[string]func(context.Context) error{
		"MSG.GET": c.Trim,
		"STREAM.SNAPSHOT": func(ctx context.Context) error {
			_, err := c.CopyStream(ctx, streamflow.StreamTicks, io.Discard)
			return err
		},
	} {
		text := []byte(question)
		b.question.Store(&text)
		before, ended := b.broken.Load(), make(chan error, 1)
		go func() { ended <- ask(context.WithoutCancel(t.Context())) }()
		select {
		case err := <-ended:
			t.Logf("%s: %v", question, err)
			if err == nil || b.broken.Load() == before {
				t.Errorf("%s: %v, and %d connections broken: want an error because of one", question, err, b.broken.Load()-before)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: still waiting for an answer that was lost", question)
		}
		for !c.Connected() {
			time.Sleep(10 * time.Millisecond)
		}
		if err := ask(t.Context()); err != nil {
			t.Errorf("%s, asked again: %v", question, err)
		}
	}
}
