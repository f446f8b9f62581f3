package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// Limits of a page of alerts.
const (
	DefaultAlerts = 100
	MaxAlerts     = 1000
)

// AlertCursor is where a page of [DB.Alerts] ended: its last alert.
type AlertCursor struct {
	Time time.Time
	ID   string
}

// AlertsQuery asks for alerts, newest first. What is "" or zero selects all.
type AlertsQuery struct {
	Symbol, Rule string
	Severity     streamflow.Severity
	Acknowledged *bool
	From, To     time.Time    // half-open [From, To)
	Limit        int          // 0: DefaultAlerts; at most MaxAlerts
	After        *AlertCursor // only what is older
}

// filter adds the conditions that say which alerts are meant.
func (q *AlertsQuery) filter(w *where) {
	for _, c := range [...]struct{ condition, value string }{
		{"symbol = ?", q.Symbol}, {"rule = ?", q.Rule}, {"severity = ?", string(q.Severity)},
	} {
		if c.value != "" {
			w.and(c.condition, clean(c.value))
		}
	}
	switch {
	case q.Acknowledged == nil:
	case *q.Acknowledged:
		w.and("acknowledged_at IS NOT NULL")
	default:
		w.and("acknowledged_at IS NULL") // as it stands in index alerts_open
	}
	w.span("time", q.From, q.To)
}

const sqlAlerts = `SELECT ` + alertNames + `, stored_at, acknowledged_at, acknowledged_by FROM ` + streamflow.TableAlerts + ` `

// Alerts returns a page of alerts, newest first, those of one microsecond by ID.
// That order is total: pages neither overlap nor leave a gap.
func (d *DB) Alerts(ctx context.Context, q AlertsQuery) ([]StoredAlert, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	sql, args := q.sql()
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("postgres: alerts: %w", err)
	}
	return collectAlerts(rows)
}

func (q *AlertsQuery) sql() (string, []any) {
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultAlerts
	}
	w := where{args: []any{min(limit, MaxAlerts)}}
	w.b.WriteString(sqlAlerts + `WHERE true`)
	q.filter(&w)
	if c := q.After; c != nil {
		w.and("(time, id) < (?, ?)", c.Time, clean(c.ID))
	}
	return w.b.String() + ` ORDER BY time DESC, id DESC LIMIT $1`, w.args
}

// Alert returns the alert of an ID, and whether it is stored.
func (d *DB) Alert(ctx context.Context, id string) (StoredAlert, bool, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	rows, err := d.pool.Query(ctx, sqlAlerts+`WHERE id = $1`, clean(id))
	if err != nil {
		return StoredAlert{}, false, fmt.Errorf("postgres: alert %q: %w", id, err)
	}
	alerts, err := collectAlerts(rows)
	if err != nil || len(alerts) == 0 {
		return StoredAlert{}, false, err
	}
	return alerts[0], true, nil
}

func collectAlerts(rows pgx.Rows) ([]StoredAlert, error) {
	alerts, err := pgx.CollectRows(rows, readAlert)
	if err != nil {
		return nil, fmt.Errorf("postgres: alerts: %w", err)
	}
	return alerts, nil
}

func readAlert(row pgx.CollectableRow) (a StoredAlert, err error) {
	var values []byte
	var topic, by *string
	var partition *int32
	var offset *int64
	var acknowledged *time.Time
	err = row.Scan(&a.ID, &a.Time, &a.Severity, &a.Symbol, &a.Rule, &a.Name, &a.When, &a.Text, &a.Price, &values,
		&topic, &partition, &offset, &a.Stored, &acknowledged, &by)
	if err != nil {
		return a, err
	}
	if topic != nil && partition != nil && offset != nil {
		a.Position = streamflow.Position{Topic: *topic, Partition: *partition, Offset: *offset}.String()
	}
	if acknowledged != nil {
		a.Acknowledged = acknowledged.UTC()
	}
	if by != nil {
		a.AcknowledgedBy = *by
	}
	a.Time, a.Stored = a.Time.UTC(), a.Stored.UTC()
	return a, json.Unmarshal(values, &a.Values)
}

// AlertCounts are numbers of alerts.
type AlertCounts struct {
	Total      int64
	Open       int64 // not acknowledged
	BySeverity map[streamflow.Severity]int64
	OpenBy     map[streamflow.Severity]int64 // Open by severity
}

// CountAlerts counts what q selects, on all its pages. Without a time from
// which, that looks at every alert; with Acknowledged false at the open ones only.
func (d *DB) CountAlerts(ctx context.Context, q AlertsQuery) (AlertCounts, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	var w where
	w.b.WriteString(`SELECT severity, count(*), count(*) FILTER (WHERE acknowledged_at IS NULL) FROM ` + streamflow.TableAlerts + ` WHERE true`)
	q.filter(&w)
	counts := AlertCounts{BySeverity: map[streamflow.Severity]int64{}, OpenBy: map[streamflow.Severity]int64{}}
	rows, err := d.pool.Query(ctx, w.b.String()+` GROUP BY severity`, w.args...)
	if err == nil {
		var severity streamflow.Severity
		var total, open int64
		_, err = pgx.ForEachRow(rows, []any{&severity, &total, &open}, func() error {
			counts.Total, counts.Open = counts.Total+total, counts.Open+open
			counts.BySeverity[severity] = total
			if open > 0 {
				counts.OpenBy[severity] = open
			}
			return nil
		})
	}
	if err != nil {
		return AlertCounts{}, fmt.Errorf("postgres: count alerts: %w", err)
	}
	return counts, nil
}
