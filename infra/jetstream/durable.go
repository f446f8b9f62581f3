package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

const (
	priorityGroup = "worker"
	headerPin     = "Nats-Pin-Id"
	// pinTTL is how long a worker may stay silent before its standby takes over.
	pinTTL = 3 * time.Second
	// ackWait is longer than any commit takes. What a dead worker held is not
	// waited for: the next one resets the durable to its floor.
	ackWait = 2 * time.Minute
)

// Durable is the input of one shard of a function: a pinned durable, which
// delivers to one worker at a time, in stream order and without gaps. It
// satisfies the functions' Source.
//
// A plain durable does neither: what a dead worker was handed and did not
// acknowledge comes back only after the ack wait, behind younger messages. A
// worker that commits positions must never see that order:
//
//	worker A is handed 1-100 and dies | worker B is handed 101-200, commits 200
//	                                  | 1-100 come back, below the position: lost
//
// So each worker, when it first sees that the durable is pinned to it, resets
// the durable to its ack floor, and drops what was on the way: the reset makes
// the consumer sequence start at 1 again, which is how it knows where to begin.
type Durable struct {
	c        *Client
	stream   string
	name     string
	config   jetstream.ConsumerConfig
	consumer jetstream.Consumer // nil while it is not open
	in       *intake            // nil while nothing is delivered by it
	stop     func()
	tap      *tapReader // nil while it is read by itself; see share
	keeper   *keeper    // with the tap
	pin      string     // of the worker that is us; "" while we stand by
	expected uint64     // the consumer sequence of the next message
	sought   bool       // the first message behind Seek has not come yet
	behind   uint64     // the sequence of that Seek
	raw      []jetstream.Msg
	batch    []streamflow.Message
	last     jetstream.Msg
	at       uint64 // the sequence that was read last, or 0
	left     uint64 // how many messages stood behind it
	acked    uint64 // the one that was acknowledged last, or 0
	skip     uint64 // what does not stand behind this was read already
	held     bool   // Next has returned messages that are not acknowledged
}

// Durable returns the input of function's shard: the messages of stream that
// match filter, "" for all but cursors.
//
// A filter with a wildcard is dear. For each message the server looks up all
// subjects of the block of its store, unless few messages are left in it: with
// 500 symbols that is more work than all else that happens to a tick. Without a
// filter it takes the next one, and the cursors among them are dropped here.
//
// But checkpoints and states must be filtered out. They are removed when the next
// one comes, and the server takes a message that is removed, and that an AckAll
// consumer was handed and has not acknowledged, for acknowledged, and all before
// it too. Cursors stay, for that reason, until all around them is trimmed:
//
//	handed out: tick 0-99, cursor | the next cursor removes this one: floor is the cursor
//	the worker dies               | the next one resets to the floor: 0-99 never come again
func (c *Client) Durable(stream, filter, function string, shard int) *Durable {
	name := streamflow.Durable(function, shard)
	return &Durable{c: c, stream: stream, name: name, config: jetstream.ConsumerConfig{
		Durable: name, FilterSubject: filter, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy: jetstream.AckAllPolicy, AckWait: ackWait, MaxAckPending: 4 * pull,
		PriorityPolicy: jetstream.PriorityPolicyPinned, PriorityGroups: []string{priorityGroup}, PinnedTTL: pinTTL,
	}}
}

// Next waits until this worker is the one that the durable is pinned to and at
// least one message is there, and returns up to limit. fresh is true when the
// worker has just become that one, or the delivery has begun anew: another
// worker may have moved the position. The messages are valid until the next
// call. An error breaks the delivery off; the next call begins anew.
func (d *Durable) Next(ctx context.Context, limit int) (messages []streamflow.Message, fresh bool, err error) {
	for {
		if d.tap != nil {
			if messages, ok, err := d.readTap(ctx, limit); ok {
				return messages, fresh, err
			}
		}
		if d.in == nil {
			if err := d.open(ctx); err != nil {
				return nil, false, err
			}
		}
		if d.raw, err = d.in.next(ctx, d.raw[:0], limit); err != nil {
			if ctx.Err() == nil {
				d.Close()
			}
			return nil, false, err
		}
		messages, began, err := d.take(ctx)
		if err != nil {
			d.Close()
			return nil, false, err
		}
		fresh = fresh || began
		if len(messages) > 0 {
			d.held = true
			d.share(ctx)
			return messages, fresh, nil
		}
		if !d.held {
			_ = d.Ack() // cursors alone: nobody else would
		}
	}
}

// take reads the gathered messages, and drops those from before a reset.
func (d *Durable) take(ctx context.Context) (messages []streamflow.Message, began bool, err error) {
	d.batch = d.batch[:0]
	for _, msg := range d.raw {
		meta, err := msg.Metadata()
		if err != nil {
			return nil, began, err
		}
		if pin := first(msg.Headers(), headerPin); pin != d.pin {
			if err := d.reset(ctx, pin); err != nil {
				return nil, began, err
			}
			d.batch, began = d.batch[:0], true
		}
		if d.expected == 1 {
			begins, err := d.begins(ctx, meta)
			if err != nil {
				return nil, began, err
			}
			if !begins {
				continue // on the way since before the reset
			}
		}
		if meta.Sequence.Consumer != d.expected {
			if meta.Sequence.Consumer == 1 { // somebody else has reset the durable
				d.batch, began, d.expected, d.skip = d.batch[:0], true, 1, 0
			} else {
				return nil, began, fmt.Errorf("durable %s delivered %d where %d was next", d.name, meta.Sequence.Consumer, d.expected)
			}
		}
		d.expected++
		d.last, d.at, d.left = msg, meta.Sequence.Stream, meta.NumPending
		if isCursor(msg.Subject()) || d.at <= d.skip {
			continue
		}
		d.batch = append(d.batch, streamflow.Message{})
		readMessage(&d.batch[len(d.batch)-1], msg, meta)
	}
	return d.batch, began, nil
}

// begins says that a message is the first one after the durable was reset. What
// was on its way before Seek may have the number 1 too, from the reset before:
// then it does not stand behind the sequence, or is not the first that does.
func (d *Durable) begins(ctx context.Context, meta *jetstream.MsgMetadata) (bool, error) {
	if meta.Sequence.Consumer != 1 || !d.sought {
		return meta.Sequence.Consumer == 1, nil
	}
	first, err := d.c.find(ctx, d.stream, find{Sequence: d.behind + 1, Subject: cmp.Or(d.config.FilterSubject, ">")})
	if err != nil {
		return false, fmt.Errorf("durable %s: the first message behind %d: %w", d.name, d.behind, err)
	}
	at := meta.Sequence.Stream
	d.sought = at <= d.behind || first != 0 && at > first // else it may have been removed meanwhile
	return !d.sought, nil
}

// reset takes the durable over at its ack floor.
func (d *Durable) reset(ctx context.Context, pin string) error {
	if _, err := d.c.js.ResetConsumer(ctx, d.stream, d.name); err != nil {
		return fmt.Errorf("reset durable %s: %w", d.name, err)
	}
	d.pin, d.expected, d.sought, d.last, d.held = pin, 1, false, nil, false
	d.at, d.acked, d.skip = 0, 0, 0
	return nil
}

// Rewind begins the delivery anew at the first message of the stream. The
// reader skips what lies below its position.
func (d *Durable) Rewind(ctx context.Context) error {
	d.Close()
	if _, err := d.c.js.ResetConsumerToSequence(ctx, d.stream, d.name, 1); err != nil {
		return fmt.Errorf("rewind durable %s: %w", d.name, err)
	}
	return nil
}

// Seek makes the delivery go on behind a sequence of the stream, 0 for its
// start. The durable stays pinned to us, and Next does not say fresh because of
// it. A sequence that the stream has not reached is none of this stream's, which
// was made anew or lost its tail: then the delivery begins at its start.
func (d *Durable) Seek(ctx context.Context, sequence uint64) error {
	s, err := d.c.js.Stream(ctx, d.stream)
	if err != nil {
		return fmt.Errorf("durable %s: stream %s: %w", d.name, d.stream, err)
	}
	if sequence > s.CachedInfo().State.LastSeq {
		sequence = 0
	}
	if _, err := d.c.js.Consumer(ctx, d.stream, d.name); errors.Is(err, jetstream.ErrConsumerNotFound) {
		if _, err := d.c.js.CreateOrUpdateConsumer(ctx, d.stream, d.config); err != nil {
			return fmt.Errorf("durable %s: %w", d.name, err)
		}
	}
	d.at, d.acked, d.skip = sequence, sequence, 0
	if d.tap != nil {
		d.unshare()
		return d.resume(ctx, sequence)
	}
	if err := d.goOn(ctx, sequence); err != nil {
		return err
	}
	d.last, d.held = nil, false // its number is one from before
	if d.in != nil && d.pin != "" {
		d.expected, d.sought, d.behind = 1, true, sequence
	}
	return nil
}

// goOn makes the delivery go on behind a sequence.
func (d *Durable) goOn(ctx context.Context, behind uint64) error {
	if _, err := d.c.js.ResetConsumerToSequence(ctx, d.stream, d.name, behind+1); err != nil {
		return fmt.Errorf("durable %s: go on behind %d: %w", d.name, behind, err)
	}
	return nil
}

// Ack tells the server that all that Next has returned is done with. It is not
// confirmed: what is delivered again lies below the position.
func (d *Durable) Ack() error {
	d.held, d.acked = false, d.at
	if d.tap != nil {
		d.keeper.acked.Store(d.acked)
		return nil
	}
	if d.last == nil {
		return nil
	}
	return d.last.Ack()
}

// Pending returns how many messages the worker has not been handed yet, and how
// many it has not acknowledged.
func (d *Durable) Pending(ctx context.Context) (pending uint64, unacked int, err error) {
	c, err := d.c.js.Consumer(ctx, d.stream, d.name)
	if err != nil {
		return 0, 0, fmt.Errorf("durable %s: %w", d.name, err)
	}
	info := c.CachedInfo()
	return info.NumPending, info.NumAckPending, nil
}

// DeleteDurable removes the durable of a function's shard. One that is not there
// is no error.
func (c *Client) DeleteDurable(ctx context.Context, stream, function string, shard int) error {
	name := streamflow.Durable(function, shard)
	err := c.js.DeleteConsumer(ctx, stream, name)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("delete durable %s of stream %s: %w", name, stream, err)
	}
	return nil
}

// Close ends the delivery and gives the durable up, so that a standby takes
// over at once. A worker that dies without it is replaced after [pinTTL].
func (d *Durable) Close() {
	if d.consumer == nil {
		return
	}
	if d.tap != nil {
		d.unshare()
	}
	if d.in != nil {
		d.stop()
	}
	if d.pin != "" {
		d.unpin()
	}
	if d.mayShare() {
		d.c.taps.leave(d.stream)
	}
	d.consumer, d.in, d.pin, d.expected, d.last, d.sought, d.held = nil, nil, "", 0, nil, false, false
	d.at, d.acked, d.skip = 0, 0, 0
}

func (d *Durable) unpin() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s, err := d.c.js.Stream(ctx, d.stream); err == nil {
		_ = s.UnpinConsumer(ctx, d.name, priorityGroup) // it also expires by itself
	}
}

func (d *Durable) open(ctx context.Context) error {
	c, err := d.c.js.Consumer(ctx, d.stream, d.name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		c, err = d.c.js.CreateOrUpdateConsumer(ctx, d.stream, d.config)
	} else if err == nil && c.CachedInfo().Config.FilterSubject != d.config.FilterSubject {
		// The filter of an older version: the durable keeps its place, and what
		// else it was made with, some of which cannot be changed.
		config := c.CachedInfo().Config
		config.FilterSubject = d.config.FilterSubject
		c, err = d.c.js.UpdateConsumer(ctx, d.stream, config)
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("stream %s is missing, run `streamflow topics`: %w", d.stream, err)
	}
	if err == nil {
		err = d.free(ctx, c.CachedInfo())
	}
	if err != nil {
		return fmt.Errorf("durable %s: %w", d.name, err)
	}
	d.consumer = c
	if err := d.deliver(); err != nil {
		d.consumer = nil
		return err
	}
	if d.mayShare() {
		d.c.taps.enter(d.stream)
	}
	return nil
}

// deliver has the server send what it has. A durable that was pinned to us before
// still is: the consumer knows the pin.
func (d *Durable) deliver() (err error) {
	d.in, d.stop, err = consume(d.consumer, jetstream.PullPriorityGroup(priorityGroup), jetstream.PullExpiry(2*time.Second), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		d.in = nil
		return fmt.Errorf("durable %s: %w", d.name, err)
	}
	return nil
}

// free has delivered again what a worker holds that is no more. A standby takes
// the durable over when a message comes; if the dead one has been handed the last
// there is, none does before the ack wait is over.
func (d *Durable) free(ctx context.Context, info *jetstream.ConsumerInfo) error {
	pinned := slices.ContainsFunc(info.PriorityGroups, func(g jetstream.PriorityGroupState) bool { return g.PinnedClientID != "" })
	if pinned || info.NumAckPending == 0 || info.NumPending > 0 {
		return nil
	}
	_, err := d.c.js.ResetConsumer(ctx, d.stream, d.name)
	return err
}
