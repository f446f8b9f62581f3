package jetstream_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"streamflow"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
)

// envServer has the test binary be a server on that directory until it is killed.
const envServer = "STREAMFLOW_TEST_SERVER_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(envServer)
	if dir == "" {
		os.Exit(m.Run())
	}
	server, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println(server.URL())
	select {}
}

// process runs a server that can be killed.
func process(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envServer+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	lines := bufio.NewScanner(out)
	if !lines.Scan() || len(lines.Text()) < 6 || lines.Text()[:5] == "error" {
		t.Fatalf("the server says %q", lines.Text())
	}
	return lines.Text(), kill
}

// A server that is killed at any moment of a commit keeps all of it or nothing,
// and all that it has confirmed.
func TestCommitIsAtomicWhenTheServerIsKilled(t *testing.T) {
	dir := t.TempDir()
	var confirmed, n int64
	for round := range 6 {
		url, kill := process(t, dir)
		c, ctx := connect(t, url), t.Context()
		if _, err := c.Ensure(ctx, jetstream.DefaultLimits); err != nil {
			t.Fatal(err)
		}
		l := c.Ledger(streamflow.StreamCandles, streamflow.FunctionCandles, 1, 0)
		page, fence, err := l.Load(ctx)
		if err != nil {
			t.Fatal(err)
		}
		n = 0
		if page != nil {
			if n, err = strconv.ParseInt(string(page), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		stored := read(t, c, streamflow.StreamCandles, streamflow.SubjectAllCandles)
		for i, m := range stored {
			if m.Position.Offset != int64(i) {
				t.Fatalf("round %d: fact %d stands where %d should", round, m.Position.Offset, i)
			}
		}
		if int64(len(stored)) != n || n < confirmed {
			t.Fatalf("round %d: %d facts are stored, the checkpoint counts %d, %d were confirmed", round, len(stored), n, confirmed)
		}
		moment := time.AfterFunc(time.Duration(20+37*round)*time.Millisecond, kill)
		if round%2 == 1 { // after a commit, however long a busy machine takes for one
			moment.Stop()
		}
		before := confirmed
		for {
			within, cancel := context.WithTimeout(ctx, time.Minute)
			size := 1 + n%300
			fence, err = l.Commit(within, facts(n, n+size), strconv.AppendInt(nil, n+size, 10), fence)
			expired := within.Err()
			cancel()
			if expired != nil {
				t.Fatal("a commit waits for the answer of a server that is dead")
			}
			if err != nil {
				break
			}
			if n += size; round%2 == 1 && confirmed == before {
				moment.Reset(time.Duration(20+37*round) * time.Millisecond)
			}
			confirmed = n
		}
		moment.Stop()
		kill()
		c.Close()
	}
	if confirmed == 0 {
		t.Error("nothing was committed in all rounds")
	}
}
