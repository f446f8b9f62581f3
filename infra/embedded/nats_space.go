package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// hold makes JetStream refuse what would be stored, or take it again. A publisher
// gets an error ("resource limits exceeded for account"), and tries again.
//
// JetStream should not come to a write that fails: from then on it refuses all that
// is sent to the stream, until the server is started again, see [NATS.mend].
func hold(ns *server.Server, low bool) error {
	if !ns.JetStreamEnabled() {
		return errors.New("JetStream is off")
	}
	account, err := ns.LookupAccount(server.DEFAULT_GLOBAL_ACCOUNT)
	if err != nil {
		return err
	}
	var limits map[string]server.JetStreamAccountLimits // nil is without
	if low {
		// What is there already is more than a byte, so nothing is taken.
		limits = map[string]server.JetStreamAccountLimits{"": {
			MaxMemory: -1, MaxStore: 1, MaxStreams: -1, MaxConsumers: -1, MaxAckPending: -1, MemoryMaxStreamBytes: -1, StoreMaxStreamBytes: -1,
		}}
	}
	if err := account.UpdateJetStreamLimits(limits); err != nil {
		return fmt.Errorf("limits of JetStream: %w", err)
	}
	return nil
}

// setLow tells the server how full the disk is, unless it thinks so: one that was
// just started takes what it can.
func (n *NATS) setLow(low bool) error {
	if low == n.low.Load() {
		return nil
	}
	if err := hold(n.Server(), low); err != nil {
		return err
	}
	n.low.Store(low)
	return nil
}

// Words by which nats-server says, in its log and nowhere else, that it will
// write no more: to one stream, or at all.
var breaking = []string{"Critical write error", "JetStream out of"}

func breaks(format string) bool {
	for _, words := range breaking {
		if strings.Contains(format, words) {
			return true
		}
	}
	return false
}

const (
	mendSpace    = 16 << 20 // bytes that must be free, if there is no reserve that says more
	mendPatience = time.Minute
)

// mend starts the server anew, in its place, when it came to a write that failed
// and there is space again. It does come to that: where something else fills the
// disk between two looks, or there is no reserve. Clients connect again by
// themselves; what was acknowledged is on the disk, or goes with its cursor and
// is mirrored again.
func (n *NATS) mend(ctx context.Context) {
	tick := time.NewTicker(spaceEvery)
	defer tick.Stop()
	enough := &Space{dir: n.cfg.Dir, reserve: max(part(n.cfg.Reserve, 1, 1), mendSpace)}
	wait := time.Second // after one attempt, before another
	var last time.Time
	said := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		why := n.broken.Load()
		if why == nil {
			if said = false; time.Since(last) > mendPatience {
				wait = time.Second
			}
			continue
		}
		if !said {
			said = true
			n.log.Error("JetStream came to a write that failed, and takes no more until it is started again, which is done as soon as there is space", "dir", n.cfg.Dir, "it says", *why)
		}
		if enough.Err(0) != nil || time.Since(last) < wait {
			continue
		}
		last, wait = time.Now(), min(2*wait, mendPatience)
		if err := n.restart(); err != nil {
			n.log.Error("NATS was not started again; it is tried again", "error", err)
			continue
		}
		n.log.Info("NATS was started again, and takes what is sent", "after", time.Since(last).Round(time.Millisecond))
	}
}

// restart ends the server and starts another.
func (n *NATS) restart() error {
	old := n.Server()
	old.Shutdown()
	old.WaitForShutdown()
	n.broken.Store(nil)
	if err := n.start(); err != nil {
		why := err.Error()
		n.broken.CompareAndSwap(nil, &why)
		return err
	}
	if n.low.Load() {
		return hold(n.Server(), true)
	}
	return nil
}
