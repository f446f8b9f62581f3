package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// quietLog is a data directory of so many partitions whose names have not
// changed for long, and a log that has looked at it.
func quietLog(t testing.TB, partitions int) (dir string, log *kafkaLog) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "partitions")
	for i := range partitions {
		putSegment(t, filepath.Join(dir, fmt.Sprintf("ticks-%d", i)))
	}
	quiet(t, dir)
	l := newKafkaLog(filepath.Dir(dir))
	t.Cleanup(l.close)
	if _, err := l.grown(); err != nil {
		t.Fatal(err)
	}
	return dir, &l
}

func putSegment(t testing.TB, partition string) {
	t.Helper()
	if err := os.MkdirAll(partition, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"0.dat", "0.idx"} {
		if err := os.WriteFile(filepath.Join(partition, name), []byte("1"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// quiet makes the names below dir an hour old.
func quiet(t testing.TB, dir string) {
	t.Helper()
	folders, err := list(dir)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	for _, name := range append(folders, ".") {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
}

// Another file may take the name of one that is kept open.
func TestKafkaLogSeesFilesMadeAnew(t *testing.T) {
	dir, log := quietLog(t, 2)
	segment := filepath.Join(dir, "ticks-0", "0.dat")
	grows := func(what string) {
		t.Helper()
		f, err := os.OpenFile(segment, os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("2"); err != nil {
			t.Fatal(err)
		}
		paths, err := log.grown()
		if err != nil || !slices.Contains(paths, segment) {
			t.Fatalf("%s: %q, %v: want the segment among them", what, paths, err)
		}
	}
	looks := func() {
		t.Helper()
		if _, err := log.grown(); err != nil {
			t.Fatal(err)
		}
	}
	grows("as it was")
	if err := os.Remove(segment); err != nil {
		t.Fatal(err)
	}
	putSegment(t, filepath.Dir(segment))
	looks()
	quiet(t, dir)
	looks()
	grows("a file that was made anew")
	if err := os.RemoveAll(filepath.Dir(segment)); err != nil {
		t.Fatal(err)
	}
	looks()
	putSegment(t, filepath.Dir(segment))
	looks()
	quiet(t, dir)
	looks()
	grows("a partition that was made anew")
}

// What a look costs when nothing has grown: one is due before each answer.
func BenchmarkKafkaLog(b *testing.B) {
	_, log := quietLog(b, 24)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := log.grown(); err != nil {
			b.Fatal(err)
		}
	}
}
