package live

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"streamflow"
)

// follower follows one stream, whatever the number of clients, and hands every
// batch to the hub and to the tap.
type follower struct {
	kind int
	feed Feed
	tap  Tap // or nil
	hub  *hub
	log  *slog.Logger

	last  atomic.Uint64 // up to where the stream was read
	ready atomic.Bool   // it was read once
	fault atomic.Value  // string: why the stream cannot be read, "" if it can
}

// Waits between attempts.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second
)

// Retry calls fn until it returns nil or ctx ends. It waits longer each time,
// and says why once per kind of trouble.
func Retry(ctx context.Context, log *slog.Logger, what string, fn func() error) error {
	wait, said := firstRetry, ""
	for {
		began := time.Now()
		err := fn()
		if time.Since(began) > lastRetry { // it worked for a while
			wait, said = firstRetry, ""
		}
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if err.Error() != said {
			said = err.Error()
			log.Warn(what+" failed, will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, lastRetry)
	}
}

// run follows the stream until ctx ends.
func (f *follower) run(ctx context.Context) {
	stream := kinds[f.kind].stream
	_ = Retry(ctx, f.log, "reading stream "+stream, func() error {
		err := f.seed(ctx, stream)
		if err == nil {
			err = f.follow(ctx, stream)
		}
		if ctx.Err() == nil {
			f.fault.Store(err.Error())
		}
		return err
	})
}

// seed takes the newest messages. After a break it goes on where it was, unless
// the stream ends before that: then it was rebuilt, and counts anew.
func (f *follower) seed(ctx context.Context, stream string) error {
	newest, last, err := f.feed.Snapshot(ctx, stream, kinds[f.kind].root+".>")
	if err != nil {
		return err
	}
	if seen := f.last.Load(); seen != 0 && seen <= last {
		return nil
	}
	f.hub.seed(f.kind, newest, last, time.Now())
	if f.tap != nil {
		f.tap.Seed(stream, newest)
	}
	f.last.Store(last)
	f.ready.Store(true)
	return nil
}

func (f *follower) follow(ctx context.Context, stream string) error {
	f.fault.Store("")
	err := f.feed.Follow(ctx, stream, f.last.Load(), func(batch []streamflow.Message) error {
		if len(batch) == 0 {
			return nil
		}
		f.hub.publish(f.kind, batch, time.Now())
		if f.tap != nil {
			f.tap.Apply(stream, batch)
		}
		f.last.Store(batch[len(batch)-1].Sequence)
		return nil
	})
	switch {
	case err == nil:
		err = errors.New("the feed ended")
	case errors.Is(err, streamflow.ErrRebuilt):
		f.last.Store(0) // what was seen says nothing about the new one
	}
	return err
}

// trouble says why the stream cannot be read, "" if nothing is known to be
// wrong.
func (f *follower) trouble() string {
	s, _ := f.fault.Load().(string)
	return s
}
