package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// Target is a stream into which partitions are mirrored.
type Target interface {
	// Claim makes the caller the one who may write a partition: what anybody
	// else has on its way is refused from then on. It returns how far the
	// partition is mirrored; Next is 0 and Last -1 if nothing is.
	Claim(ctx context.Context, p streamflow.Partition) (streamflow.Cursor, error)
	// Commit stores messages (at most 999), in their order, so that cur holds,
	// and returns the next fence. If it fails, the first of them may have been
	// stored; Claim settles it. [streamflow.ErrFenced] says that somebody else
	// has claimed the partition, and that nothing was stored after that.
	Commit(ctx context.Context, p streamflow.Partition, messages []streamflow.Message, cur streamflow.Cursor) (fence uint64, err error)
	// Cursor reads how far a partition is mirrored, and claims nothing.
	Cursor(ctx context.Context, p streamflow.Partition) (streamflow.Cursor, error)
	// Offsets returns the offsets of the partition's messages from that one on.
	Offsets(ctx context.Context, p streamflow.Partition, from int64) (map[int64]struct{}, error)
	// Fence reads the fence of a partition's cursor alone; 0 if it has none.
	Fence(ctx context.Context, p streamflow.Partition) (uint64, error)
	// Head returns the newest sequence of the stream.
	Head(ctx context.Context) (uint64, error)
	// MaxPayload is the largest message that the target takes, in bytes.
	MaxPayload() int
}

// Route is a topic and where it goes.
type Route struct {
	streamflow.Route
	Target Target
}

// Config of a bridge.
type Config struct {
	Routes  []Route // one for each topic
	Group   string
	Letters Target           // of what is refused, of all topics
	Mask    *streamflow.Mask // nil if no route masks anything
	Values  Values           // reads framed values; nil refuses them
	// Connect opens a Kafka client with further options. It is called again
	// whenever the bridge must begin anew.
	Connect func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error)
	Batch   int // messages in one batch at most; 0 means 999
	Logger  *slog.Logger
	Metrics *Metrics
	Tracer  Tracer // nil traces nothing
}

// Bridge mirrors the topics of its routes.
type Bridge struct{ Config }

const (
	maxBatch       = 999
	sessionTimeout = 6 * time.Second // Kafka's least; a killed bridge is replaced after it
	fetchWait      = 500 * time.Millisecond
	// fetchBytes is how much of one partition a fetch brings, compressed: enough
	// for some batches, and little enough that a backlog of one partition does
	// not keep the workers of the others waiting.
	fetchBytes = 128 << 10
)

// errAnew says that a worker cannot go on from where the client stands in
// Kafka, because the cursor has gone back: all is read again from the cursors.
var errAnew = errors.New("the cursor has gone back")

// New returns a bridge that is not started yet.
func New(c Config) *Bridge {
	if c.Batch <= 0 || c.Batch > maxBatch {
		c.Batch = maxBatch
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	if c.Values == nil {
		c.Values = noValues{}
	}
	for _, r := range c.Routes {
		c.Metrics.known(r.Topic)
	}
	return &Bridge{Config: c}
}

// Run mirrors until ctx ends. It waits for Kafka and JetStream when they are
// away and goes on by itself when they come back. It returns an error only if
// going on would be wrong: see [LostTopicError].
func (b *Bridge) Run(ctx context.Context) error {
	if err := b.check(); err != nil {
		return err
	}
	retry := backoff{}
	for ctx.Err() == nil {
		started := time.Now()
		err := newSession(b).run(ctx)
		if ctx.Err() != nil {
			break
		}
		var lost *LostTopicError
		if errors.As(err, &lost) {
			return err
		}
		if time.Since(started) > time.Minute {
			retry = backoff{}
		}
		b.Metrics.restarts.Inc()
		b.Logger.Warn("bridge begins anew", "error", err, "in", retry.next())
		retry.wait(ctx)
	}
	b.Logger.Info("bridge stopped")
	return nil
}

// check refuses routes that nothing good can come of.
func (b *Bridge) check() error {
	seen := make(map[string]bool)
	for _, r := range b.Routes {
		switch {
		case seen[r.Topic]:
			return fmt.Errorf("topic %s has two routes", r.Topic)
		case len(r.Mask) > 0 && b.Config.Mask == nil:
			return fmt.Errorf("topic %s: %v must be masked, and there is no key to do it with", r.Topic, r.Mask)
		}
		seen[r.Topic] = true
	}
	if len(seen) == 0 {
		return errors.New("the bridge has no route")
	}
	return nil
}

// route returns the route of a topic; nil if it has none.
func (b *Bridge) route(topic string) *Route {
	for i := range b.Routes {
		if b.Routes[i].Topic == topic {
			return &b.Routes[i]
		}
	}
	return nil
}

func (b *Bridge) topics() []string {
	topics := make([]string, len(b.Routes))
	for i := range b.Routes {
		topics[i] = b.Routes[i].Topic
	}
	return topics
}
