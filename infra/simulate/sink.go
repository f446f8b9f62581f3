package simulate

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Sink takes ticks: in the program, Kafka.
type Sink interface {
	// Send hands over one record. The sink keeps key and value, which nobody
	// changes after that. Records of the same key stay in the order of their
	// Sends. Send blocks while the sink is full, and returns an error if ctx
	// ends meanwhile or if this or an earlier record is lost for good: from
	// then on every Send and Flush returns it.
	Send(ctx context.Context, key, value []byte) error
	// Flush returns when every record sent is stored.
	Flush(ctx context.Context) error
	// Produced returns how many records were stored since the sink was made.
	// It may be called at any time from any goroutine.
	Produced() int64
}

// stallAfter is how long a sink may store nothing before it counts as away.
const stallAfter = 3 * time.Second

// watch sees to it that a sink which is away is noticed: a sink of large
// buffers takes ticks for minutes before it blocks, and blocks without a word.
type watch struct {
	sink    Sink
	logger  *slog.Logger
	base    int64        // what the sink had stored before this run
	sent    atomic.Int64 // handed over by this run
	stalled atomic.Bool
}

func newWatch(sink Sink, logger *slog.Logger) *watch {
	return &watch{sink: sink, logger: logger, base: sink.Produced()}
}

// stored returns how many ticks of this run are in the sink for good.
func (w *watch) stored() int64 { return w.sink.Produced() - w.base }

// run looks at the sink until ctx ends and says once that it is away and once
// that it is back.
func (w *watch) run(ctx context.Context) {
	ticker := time.NewTicker(stallAfter / 3)
	defer ticker.Stop()
	last, since := w.stored(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		stored := w.stored()
		if stored != last || stored >= w.sent.Load() {
			if w.stalled.Swap(false) {
				w.logger.Info("ticks are taken again", "after", time.Since(since).Round(time.Second))
			}
			last, since = stored, time.Now()
			continue
		}
		if time.Since(since) >= stallAfter && !w.stalled.Swap(true) {
			w.logger.Warn("no tick has been stored for a while: is Kafka there? Waiting for it; live rounds are skipped meanwhile",
				"since", since.UTC().Format(time.RFC3339), "pending", w.sent.Load()-stored)
		}
	}
}
