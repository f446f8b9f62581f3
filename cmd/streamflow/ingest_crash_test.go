//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/ingest"
	"streamflow/infra/kafka"
	"streamflow/infra/kafka/kafkatest"
)

// asProgram makes the test binary behave as the program: it is what is killed
// here, and building another one would take longer than the test.
const asProgram = "STREAMFLOW_TEST_AS_PROGRAM"

func init() {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:]))
	}
}

// logWriter is a program that writes lines to a file and rotates it.
type logWriter struct {
	t     *testing.T
	name  string
	file  *os.File
	rng   *rand.Rand
	lines int // written, good ones
	now   string
	count map[string]int
}

func newLogWriter(t *testing.T, name string) *logWriter {
	w := &logWriter{t: t, name: name, rng: rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano()))), now: time.Now().UTC().Format(time.RFC3339Nano), count: map[string]int{}}
	w.reopen()
	return w
}

func (w *logWriter) must(err error) {
	if err != nil {
		w.t.Error("the writer of the file:", err)
	}
}

func (w *logWriter) reopen() {
	var err error
	w.file, err = os.OpenFile(w.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	w.must(err)
}

// write adds n lines, the last one in two parts, and some that are no ticks.
func (w *logWriter) write(n int) {
	var b bytes.Buffer
	for range n {
		if w.rng.IntN(50) == 0 {
			b.WriteString("{\"no\":\"tick\"}\n")
		}
		fmt.Fprintf(&b, `{"symbol":"S%d","price":1.5,"volume":1,"timestamp":"%s","id":"%d"}`+"\n", w.lines%7, w.now, w.lines)
		w.lines++
	}
	text := b.Bytes()
	cut := len(text) - w.rng.IntN(60)
	_, err := w.file.Write(text[:cut])
	w.must(err)
	time.Sleep(time.Duration(w.rng.IntN(3)) * time.Millisecond)
	_, err = w.file.Write(text[cut:])
	w.must(err)
}

// shift makes room for NAME.1.
func (w *logWriter) shift() {
	for i := 40; i >= 1; i-- {
		if err := os.Rename(fmt.Sprintf("%s.%d", w.name, i), fmt.Sprintf("%s.%d", w.name, i+1)); err != nil && !os.IsNotExist(err) {
			w.must(err)
		}
	}
}

func (w *logWriter) rename() {
	w.count["renamed"]++
	w.shift()
	w.must(os.Rename(w.name, w.name+".1"))
	w.write(3) // a writer is slow to notice
	w.must(w.file.Close())
	w.reopen()
}

func (w *logWriter) copyTruncate() {
	w.count["copied and truncated"]++
	w.shift()
	in, err := os.Open(w.name)
	w.must(err)
	defer in.Close()
	out, err := os.Create(w.name + ".1")
	w.must(err)
	_, err = io.Copy(out, in)
	w.must(err)
	w.must(out.Close())
	w.must(os.Truncate(w.name, 0))
}

// ingested reads what Kafka holds: how often each line, and whether those of a
// symbol are in their order.
func ingested(t *testing.T, client *kgo.Client, topic string) (times map[string]int, disorder int) {
	t.Helper()
	times, last := make(map[string]int), make(map[string]int)
	_, ends, err := kafka.Marks(t.Context(), client, topic)
	if err != nil {
		t.Fatal(err)
	}
	err = kafka.Scan(t.Context(), client, topic, ends, func(r *kgo.Record) error {
		tick, err := streamflow.DecodeTick(r.Value, r.Key, streamflow.AnyTime)
		if err != nil {
			return err
		}
		var n int
		if _, err := fmt.Sscan(tick.ID, &n); err != nil {
			return err
		}
		if before, ok := last[tick.Symbol]; ok && n <= before {
			disorder++
		}
		last[tick.Symbol] = n
		times[tick.ID]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return times, disorder
}

// victim keeps a process running and kills it again and again.
type victim struct {
	args  []string
	log   string
	cmd   *exec.Cmd
	kills int
}

func (k *victim) start() error {
	log, err := os.OpenFile(k.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	k.cmd = exec.Command(os.Args[0], k.args...)
	k.cmd.Env, k.cmd.Stderr = append(os.Environ(), asProgram+"=1"), log
	return k.cmd.Start()
}

func (k *victim) kill() {
	_ = k.cmd.Process.Kill()
	_ = k.cmd.Wait()
	k.kills++
}

// A file that grows, is renamed away, is copied and truncated, and is truncated,
// while who sends it is killed with SIGKILL at any moment: Kafka holds each line
// once, in order.
func TestIngestSurvivesKills(t *testing.T) {
	brokers := kafkatest.Start(t)
	client := kafkatest.Client(t, brokers)
	topic := kafkatest.Topic(t, "ingest")
	kafkatest.Create(t, client, topic, 3)
	dir := t.TempDir()
	w := newLogWriter(t, filepath.Join(dir, "ticks.json"))
	k := &victim{log: filepath.Join(t.TempDir(), "ingest.log"), args: []string{
		"ingest", "--follow", "--quiet", "--settle=300ms", "--kafka=" + strings.Join(brokers, ","), "--topic=" + topic, w.name}}
	if err := k.start(); err != nil {
		t.Fatal(err)
	}
	defer k.kill()
	defer func() {
		if t.Failed() {
			text, _ := os.ReadFile(k.log)
			for line := range strings.Lines(string(text)) {
				if !strings.Contains(line, "missing_field") {
					t.Log(strings.TrimSpace(line))
				}
			}
		}
	}()

	// What is rotated away before the first start has seen it is not asked for.
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ingest.StateFile(w.name, topic)); err == nil {
			break
		}
	}
	// Seven seconds, or as many as a busy machine needs until enough has happened.
	began, written := time.Now(), make(chan struct{})
	go func() {
		defer close(written)
		for time.Since(began) < 7*time.Second || w.count["renamed"] == 0 || w.count["copied and truncated"] == 0 {
			switch w.write(1 + w.rng.IntN(150)); w.rng.IntN(25) {
			case 0:
				w.rename()
			case 1:
				w.copyTruncate()
			}
			time.Sleep(time.Duration(w.rng.IntN(40)) * time.Millisecond)
		}
	}()
	rng := rand.New(rand.NewPCG(2, uint64(time.Now().UnixNano())))
	for enough := false; !enough; {
		// From the first instructions of a start to the middle of the work.
		time.Sleep(time.Duration(50+rng.IntN(700)) * time.Millisecond)
		k.kill()
		if err := k.start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-written:
			enough = k.kills >= 5
		default:
		}
	}
	awaitSent(t, client, topic, w.lines)
	// What was read may go without a copy.
	w.must(os.Truncate(w.name, 0))
	k.kill()
	w.write(100)
	if err := k.start(); err != nil {
		t.Fatal(err)
	}
	w.write(100)
	awaitSent(t, client, topic, w.lines)

	times, disorder := ingested(t, client, topic)
	log, _ := os.ReadFile(k.log)
	t.Logf("%d lines, %d kills, %d within a transaction of which %d were committed, %v", w.lines, k.kills,
		bytes.Count(log, []byte("within a transaction")), bytes.Count(log, []byte(`"committed":true`)), w.count)
	if len(times) != w.lines || disorder > 0 {
		t.Errorf("Kafka holds %d lines of %d, %d out of order", len(times), w.lines, disorder)
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("line %s stands %d times in Kafka", id, n)
		}
	}
	if k.kills < 5 || w.count["renamed"] == 0 || w.count["copied and truncated"] == 0 {
		t.Errorf("too little has happened: %d kills, %v", k.kills, w.count)
	}
}

func awaitSent(t *testing.T, client *kgo.Client, topic string, lines int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if times, _ := ingested(t, client, topic); len(times) >= lines {
			return
		} else if time.Now().After(deadline) {
			var missing []int
			for i := range lines {
				if times[fmt.Sprint(i)] == 0 && len(missing) < 50 {
					missing = append(missing, i)
				}
			}
			t.Fatalf("Kafka holds %d lines of %d; the first that are missing: %d", len(times), lines, missing)
		}
	}
}
