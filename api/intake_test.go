package api

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
)

// flakyFeed breaks off again and again.
type flakyFeed struct {
	*fakeFeed
	left int
}

func (f *flakyFeed) Follow(ctx context.Context, stream string, after uint64, fn func([]streamflow.Message) error) error {
	return f.fakeFeed.Follow(ctx, stream, after, func(batch []streamflow.Message) error {
		if err := fn(batch); err != nil {
			return err
		}
		if f.left--; f.left >= 0 {
			return errors.New("connection reset")
		}
		return nil
	})
}

func TestIntakeGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		feed := &flakyFeed{newFakeFeed(), 7}
		in := running(t, feed, &fakeStore{})
		var k maker
		var all []streamflow.Mirrored
		for i := range 500 {
			all = append(all, k.tick("A", float64(i+1), 1, time.Now()))
			feed.put(all[i])
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		checkBoard(t, in.board, all)
		if last, _ := in.live.Last(streamflow.StreamTicks); last != 999 || in.live.Trouble(streamflow.StreamTicks) != "" {
			t.Errorf("last sequence %d, trouble %q", last, in.live.Trouble(streamflow.StreamTicks))
		}
	})
}
