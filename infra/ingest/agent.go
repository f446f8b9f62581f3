package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"streamflow"
)

// agent reads one file, through all its rotations, or one stream.
type agent struct {
	Config
	st       *state
	sink     Sink
	chain    chain
	src      *source // nil while there is nothing to read
	columns  *columns
	batch    []Record
	bytes    int
	progress Progress
	began    time.Time
	endsAt   time.Time // when state.Ends was asked for
}

// commitAtMost is how long a batch that is on its way may take after the end was
// asked for.
const commitAtMost = 10 * time.Second

// Run sends what File or In holds, and returns when all of it is sent, or, when
// it follows, when ctx ends. What it returns is true also with an error.
func Run(ctx context.Context, c Config) (Progress, error) {
	c.complete()
	a := &agent{Config: c, began: time.Now(), chain: chain{path: c.File, pattern: c.Rotated, not: []string{c.State, c.State + ".lock", c.State + ".part"}}}
	var err error
	if a.st, err = openState(c.State, c.File, c.Target); err != nil {
		return a.progress, err
	}
	defer a.st.close()
	a.sink = c.Open(a.st.ID)
	defer a.sink.Close()
	err = a.run(ctx)
	if a.src != nil {
		a.src.close()
	}
	if !a.st.saved && a.st.Pending == nil {
		err = errors.Join(err, a.st.save())
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // the end was asked for, and the state says how far it came
	}
	return a.progress, err
}

func (a *agent) run(ctx context.Context) error {
	if err := a.first(); err != nil {
		return err
	}
	if err := a.settleDoubt(ctx); err != nil {
		return err
	}
	if a.Again {
		a.st.move(Position{})
	}
	for {
		src, err := a.locate()
		if err != nil {
			return err
		}
		if a.src, a.columns = src, nil; src == nil {
			if err := a.idle(ctx); err != nil {
				return err
			}
			continue
		}
		done, err := a.drain(ctx)
		if err != nil || done {
			return err
		}
		src.close()
	}
}

// first notes which rotated files were there before us: those that come later
// are ours, also if all this dies before it has read a line.
func (a *agent) first() error {
	if !a.st.fresh || !a.Follow {
		return nil
	}
	newest, err := a.chain.newest()
	if err != nil {
		return err
	}
	a.st.move(Position{File: newest})
	return a.st.save()
}

// locate opens what is to be read next; nil if it is not there yet.
func (a *agent) locate() (*source, error) {
	switch {
	case a.File == "":
		return streamSource(a.In), nil
	case a.Follow:
		s, lost, err := a.chain.resume(a.st.Sent)
		if lost {
			a.Logger.Warn("the file was truncated or removed, and no copy of it is found: what it held beyond this place is not sent",
				"file", a.File, "offset", a.st.Sent.Offset, "line", a.st.Sent.Line)
		}
		return s, err
	}
	if p := a.st.Sent; p.Offset > 0 {
		s, err := a.chain.open(a.File, p, func(Mark) bool { return true }, false)
		if s != nil || err != nil {
			return s, err
		}
		a.Logger.Info("the file is another one than was sent before: it is sent from its beginning", "file", a.File)
	}
	return openFile(a.File, Position{})
}

// drain reads a source to its end; done is true where nothing follows.
func (a *agent) drain(ctx context.Context) (done bool, err error) {
	last, comma := false, byte(0)
	if a.CSV != nil {
		comma = a.CSV.comma()
	}
	var quiet time.Time // since when there is nothing new
	for {
		if ctx.Err() != nil {
			return true, a.flush(ctx)
		}
		text, line, what := a.src.record(comma, last)
		switch what {
		case foundRecord:
			if err := a.take(ctx, text, line); err != nil {
				return true, err
			}
			continue
		case foundLong:
			if err := a.flush(ctx); err != nil { // a position is between records
				return true, err
			}
			a.src.skip()
			continue
		case foundCut:
			if err := a.reject(line, nil, tooLong); err != nil {
				return true, err
			}
			continue
		}
		n, err := a.src.fill()
		switch {
		case errors.Is(err, errTruncated):
			return false, a.truncated(ctx)
		case err != nil:
			return true, err
		case n > 0:
			quiet = time.Time{}
			continue
		case last:
			return a.finish(ctx)
		}
		if quiet.IsZero() {
			quiet = time.Now()
		}
		if last = a.over(quiet); !last {
			if err := a.flush(ctx); err != nil {
				return true, err
			}
			if err := a.idle(ctx); err != nil {
				return true, err
			}
		}
	}
}

var tooLong = &streamflow.RejectError{
	Reason: streamflow.ReasonTooLarge, Detail: fmt.Sprintf("more than %d bytes, the limit is %d", maxLine, streamflow.MaxRecordBytes),
}

// over reports whether nothing will be added to the source any more.
func (a *agent) over(quiet time.Time) bool {
	switch {
	case a.src.stream != nil:
		return a.src.ended
	case !a.Follow:
		return true
	case !a.src.rotated:
		now, err := os.Stat(a.File)
		if err != nil || os.SameFile(now, stat(a.src.file)) {
			return false
		}
		a.src.rotated, a.src.seen = true, time.Now()
		return false // what was written before the rename may have come since the last look
	}
	if a.src.seen.IsZero() && time.Since(time.Unix(0, a.src.mark.Modified)) >= a.Settle {
		return true // it was rotated before we came
	}
	return time.Since(quiet) >= a.Settle && time.Since(a.src.seen) >= a.Settle
}

// finish sends what is left and moves on.
func (a *agent) finish(ctx context.Context) (done bool, err error) {
	if err := a.flush(ctx); err != nil {
		return true, err
	}
	if !a.Follow || a.src.stream != nil {
		return true, nil
	}
	a.Logger.Info("a rotated file is sent to its end", "file", a.src.name, "line", a.src.line)
	a.st.move(Position{File: a.src.mark})
	return false, a.st.save()
}

// truncated sends what was read whole; then resume looks for a copy that holds
// what was not.
func (a *agent) truncated(ctx context.Context) error {
	if err := a.flush(ctx); err != nil {
		return err
	}
	if !a.Follow {
		return fmt.Errorf("%s was truncated while it was read, at line %d: --follow reads files that are written to", a.File, a.src.line)
	}
	a.Logger.Info("the file was truncated", "file", a.src.name, "line", a.src.line)
	return nil
}

// idle saves what is not saved and waits for a moment.
func (a *agent) idle(ctx context.Context) error {
	if !a.st.saved {
		if err := a.st.save(); err != nil {
			return err
		}
	}
	return wait(ctx, a.Poll)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
