package api

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"streamflow"
)

// intake follows the stream once and hands every batch to the hub and to the
// board.
type intake struct {
	feed  Feed
	store Store
	hub   *hub
	board *board
	log   *slog.Logger

	last  atomic.Uint64 // the newest sequence seen
	fault atomic.Value  // string: why the stream cannot be read, "" if it can
}

// Waits between attempts.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second
)

// retry calls fn until it returns nil or ctx ends. It waits longer each time,
// and says why once per kind of trouble.
func retry(ctx context.Context, log *slog.Logger, what string, fn func() error) error {
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
func (in *intake) run(ctx context.Context) {
	loaded := make(chan struct{})
	started := false
	_ = retry(ctx, in.log, "reading the stream", func() error {
		err := in.seed(ctx)
		if err == nil {
			if !started {
				started = true
				go func() { defer close(loaded); in.loadDays(ctx) }()
			}
			err = in.follow(ctx)
		}
		if ctx.Err() == nil {
			in.fault.Store(err.Error())
		}
		return err
	})
	if started {
		<-loaded
	}
}

// seed takes the newest ticks. After a break it goes on where it was, unless
// the stream ends before that: then it was rebuilt, and counts anew.
func (in *intake) seed(ctx context.Context) error {
	newest, last, err := in.feed.Snapshot(ctx)
	if err != nil {
		return err
	}
	if seen := in.last.Load(); seen != 0 && seen <= last {
		return nil
	}
	in.hub.seed(newest, time.Now())
	in.board.seed(newest)
	in.last.Store(last)
	return nil
}

func (in *intake) follow(ctx context.Context) error {
	in.fault.Store("")
	err := in.feed.Follow(ctx, in.last.Load(), func(batch []streamflow.Mirrored) error {
		if len(batch) == 0 {
			return nil
		}
		in.hub.publish(batch, time.Now())
		in.board.apply(batch)
		in.last.Store(batch[len(batch)-1].Sequence)
		return nil
	})
	if err == nil {
		err = errors.New("the feed ended")
	}
	return err
}

// loadDays reads the day's figures, and again where [untilReload] says so.
func (in *intake) loadDays(ctx context.Context) {
	for {
		err := retry(ctx, in.log, "reading the day's figures", func() error {
			return in.board.load(ctx, in.feed, in.store, time.Now())
		})
		wait := untilReload(time.Now())
		if err != nil || wait == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// trouble says why the stream cannot be read, "" if nothing is known to be
// wrong.
func (in *intake) trouble() string {
	s, _ := in.fault.Load().(string)
	return s
}
