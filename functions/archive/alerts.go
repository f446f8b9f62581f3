package archive

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"streamflow"
	"streamflow/functions"
)

// AlertStore is what the archive of alerts needs of a database.
type AlertStore interface {
	// InsertAlerts stores the alerts whose IDs it does not have. refused says of
	// each that cannot be stored why; err, that all of them are to be sent again.
	InsertAlerts(ctx context.Context, alerts []streamflow.Alert) (written int64, refused []error, err error)
}

// Alerts stores alerts. It satisfies [functions.Sink] and keeps no position: an
// alert has the same ID however often it is derived, and is stored once.
type Alerts struct {
	store   AlertStore
	log     *slog.Logger
	metrics *Metrics
	facts   []streamflow.Alert // reused from commit to commit
}

// NewAlerts returns the archive of alerts over a store. A nil m keeps the
// metrics to itself.
func NewAlerts(store AlertStore, log *slog.Logger, m *Metrics) *Alerts {
	if m == nil {
		m = NewMetrics(nil)
	}
	return &Alerts{store: store, log: log, metrics: m}
}

// Load returns nil: there is no position.
func (s *Alerts) Load(context.Context) (functions.Checkpoint, error) { return nil, nil }

// Commit stores the facts among the messages; an alert has no views.
func (s *Alerts) Commit(ctx context.Context, messages []streamflow.Message, _, _ functions.Checkpoint) error {
	s.facts = s.facts[:0]
	for i := range messages {
		m := &messages[i]
		if m.Position.Topic == "" {
			continue
		}
		a, err := readAlert(m.Data)
		if err != nil {
			s.metrics.unreadable(streamflow.TableAlerts)
			s.log.Error("a fact that is no alert is left out", "subject", m.Subject, "position", m.Position, "error", err)
			continue
		}
		s.facts = append(s.facts, a)
	}
	if len(s.facts) == 0 {
		return nil
	}
	written, refused, err := s.store.InsertAlerts(ctx, s.facts)
	if err != nil {
		return err
	}
	for _, reason := range refused {
		s.log.Error("an alert is not stored", "error", reason)
	}
	s.metrics.count(streamflow.TableAlerts, len(s.facts), written, len(refused))
	return nil
}

func readAlert(data []byte) (a streamflow.Alert, err error) {
	err = json.Unmarshal(data, &a)
	switch {
	case err != nil:
	case a.ID == "":
		err = errors.New("alert: the id is missing")
	case a.Rule == "":
		err = errors.New("alert: the rule is missing")
	case !streamflow.ValidSymbol(a.Symbol):
		err = errors.New("alert: the symbol is missing, or none")
	}
	return a, err
}
