package jetstream_test

import (
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"streamflow"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// lone starts a server that has nothing but one stream.
func lone(t *testing.T, name string, subjects ...string) (*jetstream.Client, *nats.Conn) {
	t.Helper()
	server, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	nc, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c := jetstream.Streams(jetstream.DefaultLimits)[0]
	c.Name, c.Subjects = name, subjects
	if _, err := js.CreateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return connect(t, server.URL()), nc
}

// The cursors of events stand in their own stream, and keep the topic's id.
func TestEventCursors(t *testing.T) {
	c, _ := lone(t, streamflow.StreamEvents, streamflow.SubjectAllEvents, streamflow.SubjectEventCursors)
	m := c.Events()
	p := streamflow.Partition{Topic: streamflow.TopicUserEvents, Number: 2}
	cur, err := m.Claim(t.Context(), p)
	if err != nil || cur.Next != 0 || cur.Last != -1 || cur.TopicID != "" {
		t.Fatalf("claimed %+v, %v", cur, err)
	}
	cur.TopicID = "an id"
	for _, n := range []int{0, 3, 100} { // the cursor alone, stored without it, and with it
		var messages []streamflow.Message
		for range n {
			messages = append(messages, streamflow.Message{
				Subject: streamflow.EventSubject(p.Topic, streamflow.TypeLogin), Data: []byte("{}"), Previous: cur.Last,
				Position: streamflow.Position{Topic: p.Topic, Partition: p.Number, Offset: cur.Next},
			})
			cur.Next, cur.Last = cur.Next+1, cur.Next
		}
		if cur.Fence, err = m.Commit(t.Context(), p, messages, cur); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Cursor(t.Context(), p); err != nil || got != cur {
			t.Errorf("after %d more: %+v, %v, want %+v", n, got, err, cur)
		}
	}
	again, err := m.Claim(t.Context(), p)
	if again.Fence = cur.Fence; err != nil || again != cur {
		t.Errorf("claimed %+v, %v, want %+v", again, err, cur)
	}
}

// What a function could not step is no record that the bridge refused.
func TestLettersOfFunctionsDoNotCount(t *testing.T) {
	c, nc := lone(t, streamflow.StreamDeadLetters, streamflow.SubjectAllLetters, streamflow.SubjectDLQCursors)
	m := c.DeadLetters()
	cur, err := m.Claim(t.Context(), partition)
	if err != nil {
		t.Fatal(err)
	}
	for offset := range int64(4) {
		p := streamflow.Position{Topic: partition.Topic, Partition: partition.Number, Offset: offset}
		subject := streamflow.DeadLetterSubject(p.Topic)
		if offset%2 == 1 {
			subject = streamflow.LetterSubject("candles", p)
		}
		msg := nats.NewMsg(subject)
		msg.Header.Set(streamflow.HeaderPosition, p.String())
		if _, err := nc.RequestMsg(msg, nats.DefaultTimeout*5); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := m.Cursor(t.Context(), partition); err != nil || got.Next != 3 || got.Fence != cur.Fence {
		t.Errorf("cursor %+v, %v, want next 3", got, err)
	}
	offsets, err := m.Offsets(t.Context(), partition, 0)
	if err != nil || len(offsets) != 2 {
		t.Errorf("offsets %v, %v, want 0 and 2", slices.Collect(maps.Keys(offsets)), err)
	}
}
