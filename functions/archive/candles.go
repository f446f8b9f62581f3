package archive

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"streamflow"
	"streamflow/functions"
)

// CandleStore is what the archive of candles needs of a database.
type CandleStore interface {
	// UpsertCandles stores candles over less full versions of them, whatever the
	// order in which they come and however often. refused says of each that
	// cannot be stored why; err, that all of them are to be sent again.
	UpsertCandles(ctx context.Context, candles []streamflow.Candle) (written int64, refused []error, err error)
}

// viewEvery is how far a candle that still grows is behind in the table.
const viewEvery = 5 * time.Second

// Candles stores candles: facts as they come, and of those that still grow the
// newest view every few seconds, so that the day's candle is in the table all
// day. It satisfies [functions.Sink] and keeps no position: to store a candle
// again changes nothing.
type Candles struct {
	store   CandleStore
	log     *slog.Logger
	metrics *Metrics
	facts   []streamflow.Candle // reused from commit to commit

	mu    sync.Mutex
	views map[string][]byte // the newest view of each subject since they were stored
}

// NewCandles returns the archive of candles over a store. A nil m keeps the
// metrics to itself.
func NewCandles(store CandleStore, log *slog.Logger, m *Metrics) *Candles {
	if m == nil {
		m = NewMetrics(nil)
	}
	return &Candles{store: store, log: log, metrics: m, views: make(map[string][]byte)}
}

// Load returns nil: there is no position.
func (s *Candles) Load(context.Context) (functions.Checkpoint, error) { return nil, nil }

// Commit stores the facts among the messages, and notes the views.
func (s *Candles) Commit(ctx context.Context, messages []streamflow.Message, _, _ functions.Checkpoint) error {
	s.View(messages)
	s.facts = s.facts[:0]
	for i := range messages {
		m := &messages[i]
		if m.Position.Topic == "" {
			continue
		}
		var c streamflow.Candle
		if err := c.UnmarshalJSON(m.Data); err != nil {
			s.metrics.unreadable(streamflow.TableCandles)
			s.log.Error("a fact that is no candle is left out", "subject", m.Subject, "position", m.Position, "error", err)
			continue
		}
		s.facts = append(s.facts, c)
	}
	return s.upsert(ctx, s.facts)
}

func (s *Candles) upsert(ctx context.Context, candles []streamflow.Candle) error {
	if len(candles) == 0 {
		return nil
	}
	written, refused, err := s.store.UpsertCandles(ctx, candles)
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		s.log.Error("the table cannot hold some candles", "candles", len(refused), "first", refused[0])
	}
	s.metrics.count(streamflow.TableCandles, len(candles), written, len(refused))
	return nil
}

// View notes the newest view of each subject, for [Candles.Run] to store; facts
// are none. The data of the messages is copied.
func (s *Candles) View(messages []streamflow.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range messages {
		m := &messages[i]
		if m.Position.Topic == "" && lasting(m.Subject) {
			s.views[m.Subject] = append(s.views[m.Subject][:0], m.Data...)
		}
	}
}

// lasting says that a candle grows for longer than its view would wait: of
// others the fact is there as soon.
func lasting(subject string) bool {
	rest, ok := strings.CutPrefix(subject, "candles.")
	interval, _, _ := strings.Cut(rest, ".")
	return ok && streamflow.Interval(interval).Duration() > viewEvery
}

// Run stores views until ctx ends, and what is left then. To store them takes a
// tenth of its time at most: with very many symbols they come less often.
func (s *Candles) Run(ctx context.Context) error {
	wait := viewEvery
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), viewEvery)
			defer cancel()
			s.storeViews(last)
			return nil
		case <-time.After(wait):
		}
		start := time.Now()
		s.storeViews(ctx)
		wait = max(viewEvery, 9*time.Since(start))
	}
}

// storeViews stores the views that were noted.
func (s *Candles) storeViews(ctx context.Context) {
	s.mu.Lock()
	views := s.views
	s.views = make(map[string][]byte, len(views))
	s.mu.Unlock()
	candles := make([]streamflow.Candle, 0, len(views))
	for subject, data := range views {
		var c streamflow.Candle
		if err := c.UnmarshalJSON(data); err != nil {
			s.metrics.unreadable(streamflow.TableCandles)
			s.log.Warn("a view that is no candle is left out", "subject", subject, "error", err)
			continue
		}
		candles = append(candles, c)
	}
	if err := s.upsert(ctx, candles); err != nil {
		s.log.Warn("candles that grow are not stored for now", "candles", len(candles), "error", err)
		s.putBack(views)
	}
}

// putBack keeps views that were not stored, where no newer one has come.
func (s *Candles) putBack(views map[string][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for subject, data := range views {
		if _, newer := s.views[subject]; !newer {
			s.views[subject] = data
		}
	}
}
