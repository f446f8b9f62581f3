//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
)

// TestLostStoreHeals deletes all that JetStream holds. It is a cache of Kafka:
// the bridge fills it again by itself, and nobody stores anything twice.
func TestLostStoreHeals(t *testing.T) {
	w := newWorld(t)
	children := w.everything()
	p := w.produce(3, 1500)
	lose := func(c ...*child) {
		for _, c := range c {
			c.stop(syscall.SIGKILL)
		}
		if err := os.RemoveAll(filepath.Join(w.dir, "data", "nats")); err != nil {
			t.Fatal(err)
		}
		for _, c := range c {
			c.resume()
		}
		w.topics()
	}
	for _, variant := range []struct {
		name string
		stop []*child
	}{
		{"everybody else runs on", []*child{children[kindNATS]}},
		{"the bridge is restarted too", []*child{children[kindNATS], children[kindBridge]}},
	} {
		before := p.count()
		w.await("ticks", 2*time.Minute, func() bool { return p.count() > before+2000 })
		w.flows(p, "ticks", 2*time.Minute)
		lose(variant.stop...)
		took := w.flows(p, "healing, where "+variant.name, 2*time.Minute)
		t.Logf("store lost, %s: ticks are stored again after %.1f s", variant.name, took.Seconds())
		out, code := w.run("verify")
		if code != 0 {
			t.Fatalf("%s: verify exits %d:\n%s", variant.name, code, out)
		}
	}
	p.finish(t)
	w.settled(p, "after the store was lost twice")
}

// TestVerifyNamesDamage does harm to one store at a time.
func TestVerifyNamesDamage(t *testing.T) {
	w := newWorld(t)
	w.everything()
	w.start("api", "api")
	p := w.produce(4, 1500)
	w.await("ticks", 2*time.Minute, func() bool { return p.count() > 2000 })
	p.finish(t)
	w.settled(p, "before the damage")
	const one = `(SELECT ctid FROM stock_ticks WHERE symbol = 'BRK.B' ORDER BY kafka_partition, kafka_offset LIMIT 1)`
	w.execute(`CREATE TABLE kept AS SELECT * FROM stock_ticks WHERE ctid = ` + one)
	for _, damage := range []struct{ name, do, undo, says string }{
		{"a row deleted", `DELETE FROM stock_ticks WHERE ctid = ` + one, `INSERT INTO stock_ticks SELECT * FROM kept`, "the database lacks 1"},
		{"a row doubled", `INSERT INTO stock_ticks SELECT * FROM kept`, `DELETE FROM stock_ticks WHERE ctid = ` + one, "the database has 1 too many"},
		{"a price changed", `UPDATE stock_ticks SET price = price * 2 WHERE ctid = ` + one, `UPDATE stock_ticks t SET price = k.price FROM kept k
			WHERE (t.kafka_partition, t.kafka_offset) = (k.kafka_partition, k.kafka_offset)`, "the database holds other content"},
	} {
		w.execute(damage.do)
		w.verifySays(damage.name, damage.says)
		w.execute(damage.undo)
		if out, code := w.run("verify"); code != 0 {
			t.Fatalf("%s, and made good: verify exits %d:\n%s", damage.name, code, out)
		}
	}
	w.deleteTick("ticks.BRK%2EB")
	w.verifySays("a message deleted", "JetStream lacks 1")
	start := time.Now()
	if out, code := w.run("rebuild", "--yes"); code != 0 {
		t.Fatalf("rebuild exits %d:\n%s", code, out)
	}
	t.Logf("rebuilt and verified in %.1f s, while bridge, functions and API ran", time.Since(start).Seconds())
	w.settled(p, "after the rebuild")
}

func (w *world) verifySays(what, says string) {
	w.t.Helper()
	out, code := w.run("verify")
	if code != exitDifferences {
		w.t.Fatalf("%s: verify exits %d, want %d:\n%s", what, code, exitDifferences, out)
	}
	for line := range strings.Lines(out) {
		if strings.Contains(line, "BRK.B") && strings.Contains(line, says) {
			return
		}
	}
	w.t.Fatalf("%s: verify does not say of BRK.B that %q:\n%s", what, says, out)
}

func (w *world) execute(sql string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn := w.sql(ctx)
	defer conn.Close(ctx)
	// Without parameters several rows' worth of SQL goes as it is.
	if tag, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil || tag.RowsAffected() != 1 {
		w.t.Fatalf("%s: %s, %v", sql, tag, err)
	}
}

// deleteTick removes the oldest message of a subject from TICKS, as `nats stream
// rmm` does. The newest would not do: if no cursor has moved since, it alone says
// that its partition is mirrored that far, and verify waits for the bridge to
// come there again.
func (w *world) deleteTick(subject string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := w.jetstream().Stream(ctx, "TICKS")
	if err != nil {
		w.t.Fatal(err)
	}
	var m *jetstream.RawStreamMsg
	if m, err = s.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(subject)); err == nil {
		// Not the first one: what is missing at the beginning of a partition has
		// expired, for all that anybody can tell.
		m, err = s.GetMsg(ctx, m.Sequence+1, jetstream.WithGetMsgSubject(subject))
	}
	if err == nil {
		err = s.DeleteMsg(ctx, m.Sequence)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
