package embedded

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// held is a broker's port behind a flusher whose disk the test is.
func held(t *testing.T, disk func(path string) error) (client net.Conn, server net.Conn, dir string) {
	t.Helper()
	dir = t.TempDir()
	f := newFlusher(dir, slog.New(slog.DiscardHandler))
	f.flush = disk
	go f.run()
	t.Cleanup(f.close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = (heldListener{ln, f}).Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server, dir
}

func TestNoAnswerBeforeItsRecordsAreOnTheDisk(t *testing.T) {
	asked, let := make(chan string, 16), make(chan struct{})
	client, server, dir := held(t, func(path string) error {
		asked <- filepath.Base(path)
		<-let
		return nil
	})
	if err := os.WriteFile(filepath.Join(dir, "pids.log"), []byte("a record"), 0o644); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { _, err := server.Write([]byte("stored")); written <- err }()
	if name := <-asked; name != "pids.log" {
		t.Fatalf("%s is flushed", name)
	}
	_ = client.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	answer := make([]byte, 6)
	if n, err := client.Read(answer); err == nil {
		t.Fatalf("answered %q before the flush was over", answer[:n])
	}
	close(let)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	_ = client.SetReadDeadline(time.Time{})
	if _, err := client.Read(answer); err != nil || string(answer) != "stored" {
		t.Fatalf("%q, %v", answer, err)
	}
	// Nothing has grown since: there is nothing to wait for.
	if _, err := server.Write([]byte("again")); err != nil || len(asked) > 0 {
		t.Fatalf("%v, and %d flushes of nothing", err, len(asked))
	}
}

// A disk that failed once has forgotten what it could not write.
func TestNoAnswerAfterAFlushThatFailed(t *testing.T) {
	var flushes atomic.Int32
	_, server, dir := held(t, func(string) error { flushes.Add(1); return errors.New("the disk is gone") })
	if err := os.WriteFile(filepath.Join(dir, "pids.log"), []byte("a record"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := server.Write([]byte("stored")); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
			t.Fatalf("answered, %v", err)
		}
	}
	if n := flushes.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// The log is told of new partitions, of what grows in them, and of segments that
// end between two looks; and of nothing twice.
func TestKafkaLogTellsWhatHasGrown(t *testing.T) {
	dir := t.TempDir()
	log := newKafkaLog(dir)
	write := func(path string, data string) {
		t.Helper()
		path = filepath.Join(dir, "partitions", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(data); err != nil {
			t.Fatal(err)
		}
	}
	want := func(names ...string) {
		t.Helper()
		paths, err := log.grown()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || !info.IsDir() {
				name, _ := filepath.Rel(filepath.Join(dir, "partitions"), path)
				got = append(got, filepath.ToSlash(name))
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, names) {
			t.Fatalf("%q have grown, want %q", got, names)
		}
	}
	want()
	write("ticks-0/0.dat", "1")
	write("ticks-0/0.idx", "1") // made anew if it is lost, as long as its segment is the newest
	want("ticks-0/0.dat")
	want()
	write("ticks-0/0.dat", "2")
	write("other-1/7.dat", "1")
	write("other-1/snapshot.json", "{}") // kfake flushes it itself
	want("other-1/7.dat", "ticks-0/0.dat")
	write("ticks-0/0.dat", "3")  // the end of a segment,
	write("ticks-0/50.dat", "4") // one that begins and ends unseen,
	write("ticks-0/90.dat", "5") // and the next
	want("ticks-0/0.dat", "ticks-0/0.idx", "ticks-0/50.dat", "ticks-0/90.dat")
	write("ticks-0/90.dat", "6")
	want("ticks-0/90.dat")
	if err := os.RemoveAll(filepath.Join(dir, "partitions", "other-1")); err != nil {
		t.Fatal(err)
	}
	want()
	for _, p := range log.parts {
		if len(p.files) > 2 {
			t.Errorf("%s: %d files are looked at", p.path, len(p.files))
		}
	}
}

// One record, its flush and its answer.
func BenchmarkKafkaLoneRecord(b *testing.B) {
	k, err := StartKafka(KafkaConfig{Addr: "127.0.0.1:0", Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer k.Close()
	if _, err := k.admin.CreateTopic(b.Context(), 1, 1, nil, "ticks"); err != nil {
		b.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.DefaultProduceTopic("ticks"), kgo.ProducerLinger(0))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	for b.Loop() {
		if err := client.ProduceSync(b.Context(), kgo.StringRecord("a tick")).FirstErr(); err != nil {
			b.Fatal(err)
		}
	}
}
