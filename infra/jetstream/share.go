package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// mayShare says that a durable reads all that a tap does.
func (d *Durable) mayShare() bool { return d.config.FilterSubject == "" }

// share makes a durable that has come to the end of its stream read on from the
// tap that all readers of the process share. It stays pinned to us, and its
// floor follows what is acknowledged: `nats consumer info` shows the lag, and who
// takes over begins where we are, at most [floorEvery] back. What the server has
// sent and we have not read is dropped; the tap has it.
func (d *Durable) share(ctx context.Context) {
	if !d.mayShare() || d.pin == "" || !d.c.taps.near(d.left) {
		return
	}
	// There are messages already: to be cut off here would be for nothing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shareAtMost)
	defer cancel()
	r := d.c.tapReader(ctx, d.stream, d.at)
	if r == nil {
		return
	}
	k, err := d.keep(r)
	if err != nil {
		return
	}
	d.stop()
	d.in, d.last = nil, nil
	d.tap, d.keeper = r, k
}

// readTap is Next of a durable that shares. ok is false when it does so no more,
// and goes on by itself.
func (d *Durable) readTap(ctx context.Context, limit int) (messages []streamflow.Message, ok bool, err error) {
	d.batch, err = d.tap.read(ctx, d.batch[:0], limit, d.keeper.lost)
	switch {
	case err == nil:
		d.at, d.held = d.tap.behind, true
		return d.batch, true, nil
	case ctx.Err() != nil:
		return nil, true, err
	case errors.Is(err, errPinLost):
		d.pin = "" // it is not ours to give up
		d.Close()
		return nil, false, nil
	}
	d.c.log.Debug("reading on by the durable", "durable", d.name, "because", err)
	if err := d.alone(ctx); err != nil {
		d.Close()
		return nil, true, err
	}
	return nil, false, nil
}

// alone goes on by the durable, behind what is acknowledged, and leaves out what
// was read.
func (d *Durable) alone(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shareAtMost)
	defer cancel()
	read := d.at
	d.unshare()
	if _, err := d.c.reachable(ctx, d.stream, d.acked); err != nil {
		return fmt.Errorf("durable %s: stream %s: %w", d.name, d.stream, err)
	}
	if err := d.resume(ctx, d.acked); err != nil {
		return err
	}
	d.skip = read
	return nil
}

// unshare leaves the tap. The durable is still pinned to us.
func (d *Durable) unshare() {
	d.keeper.close()
	d.tap, d.keeper = nil, nil
}

// resume has the server deliver what stands behind a sequence, to us.
func (d *Durable) resume(ctx context.Context, behind uint64) (err error) {
	if err := d.goOn(ctx, behind); err != nil {
		return err
	}
	if err := d.deliver(); err != nil {
		return err
	}
	d.expected, d.sought, d.last, d.held = 1, false, nil, false
	return nil
}

const (
	shareAtMost = 3 * time.Second
	// floorEvery is how often the floor of a durable that shares is moved. Its lag,
	// as the server tells it, is too great by as much.
	floorEvery = 100 * time.Millisecond
	// pinEvery is how often we say that a durable is ours still.
	pinEvery = time.Second
)

var errPinLost = errors.New("the durable is another worker's")

// keeper keeps a durable ours while nothing is delivered by it.
type keeper struct {
	c       *Client
	stream  string
	durable string
	reader  *tapReader
	acked   atomic.Uint64 // sequence
	lost    chan struct{} // closed when the durable is another's
	lose    sync.Once
	end     chan struct{}
	ended   chan struct{}
	request []byte
}

// keep begins to keep a durable that is read by a tap from now on.
func (d *Durable) keep(r *tapReader) (*keeper, error) {
	k := &keeper{
		c: d.c, stream: d.stream, durable: d.name, reader: r,
		lost: make(chan struct{}), end: make(chan struct{}), ended: make(chan struct{}),
	}
	k.acked.Store(d.acked)
	// The server counts a request as a sign of life when it comes. None of our
	// messages is as short as this, so that it refuses to deliver one.
	var err error
	k.request, err = json.Marshal(map[string]any{
		"batch": 1, "max_bytes": 1, "expires": pinEvery, "group": priorityGroup, "id": d.pin,
	})
	if err != nil {
		return nil, err
	}
	inbox := d.c.nc.NewInbox()
	sub, err := d.c.nc.Subscribe(inbox, func(m *nats.Msg) {
		switch m.Header.Get("Status") {
		case "423", "503": // another's pin; no such durable
			k.loses()
		}
	})
	if err != nil {
		return nil, err
	}
	floor := d.acked // before anything is acknowledged by way of k
	go func() {
		defer close(k.ended)
		defer func() { _ = sub.Unsubscribe() }()
		k.run(inbox, floor)
	}()
	return k, nil
}

func (k *keeper) loses() { k.lose.Do(func() { close(k.lost) }) }

func (k *keeper) run(inbox string, floor uint64) {
	ticker := time.NewTicker(floorEvery)
	defer ticker.Stop()
	alive := time.Time{}
	for {
		if now := time.Now(); alive.IsZero() || now.Sub(alive) >= pinEvery {
			if !alive.IsZero() && now.Sub(alive) > pinTTL { // we have been away for too long
				k.loses()
			} else if k.c.nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+k.stream+"."+k.durable, inbox, k.request) == nil {
				alive = now
			}
		}
		select {
		case <-k.end:
			return
		case <-k.lost:
			return
		case <-ticker.C:
		}
		if to := k.reader.floor(k.acked.Load()); to > floor && k.move(to) {
			floor = to
		}
	}
}

// move moves the floor of the durable.
func (k *keeper) move(to uint64) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := k.c.js.ResetConsumerToSequence(ctx, k.stream, k.durable, to+1)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		k.loses()
	}
	return err == nil
}

// close ends it, and returns when it does nothing any more.
func (k *keeper) close() {
	close(k.end)
	<-k.ended
}
