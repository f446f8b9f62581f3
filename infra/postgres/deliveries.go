package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// Delivery is one attempt to deliver an alert to a webhook.
type Delivery struct {
	ID       int64 // given by the database
	Time     time.Time
	Webhook  string // its name
	AlertID  string
	Attempt  int // from 1
	Status   int // of the HTTP answer; 0: there was none
	Duration time.Duration
	Error    string // "": it was delivered
}

// maxDeliveryError bounds what is kept of an answer that may be a page of HTML.
const maxDeliveryError = 1000

// RecordDelivery stores an attempt. It is a record for people: an attempt that
// is recorded twice is there twice.
func (d *DB) RecordDelivery(ctx context.Context, x Delivery) error {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	text := x.Error
	if len(text) > maxDeliveryError {
		text = text[:maxDeliveryError] + "..."
	}
	_, err := d.pool.Exec(ctx, `INSERT INTO `+streamflow.TableDeliveries+` (time, webhook, alert_id, attempt, status, duration_ms, error)
		VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''))`,
		x.Time, clean(x.Webhook), clean(x.AlertID), x.Attempt, x.Status, float64(x.Duration)/float64(time.Millisecond), clean(text))
	if err != nil {
		return fmt.Errorf("postgres: delivery to %s: %w", x.Webhook, err)
	}
	return nil
}

// DeliveriesQuery asks for attempts, newest first. What is "" or zero selects all.
type DeliveriesQuery struct {
	Webhook, AlertID string
	FailedOnly       bool
	Limit            int   // 0: DefaultAlerts; at most MaxAlerts
	Before           int64 // only IDs below: the last one of the page before
}

// Deliveries returns a page of attempts in the order in which they were stored,
// the newest first.
func (d *DB) Deliveries(ctx context.Context, q DeliveriesQuery) ([]Delivery, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultAlerts
	}
	w := where{args: []any{min(limit, MaxAlerts)}}
	w.b.WriteString(`SELECT id, time, webhook, alert_id, attempt, status, duration_ms, coalesce(error, '') FROM ` + streamflow.TableDeliveries + ` WHERE true`)
	if q.Webhook != "" {
		w.and("webhook = ?", clean(q.Webhook))
	}
	if q.AlertID != "" {
		w.and("alert_id = ?", clean(q.AlertID))
	}
	if q.FailedOnly {
		w.and("error IS NOT NULL")
	}
	if q.Before > 0 {
		w.and("id < ?", q.Before)
	}
	rows, err := d.pool.Query(ctx, w.b.String()+` ORDER BY id DESC LIMIT $1`, w.args...)
	var found []Delivery
	if err == nil {
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (x Delivery, err error) {
			var ms float64
			err = row.Scan(&x.ID, &x.Time, &x.Webhook, &x.AlertID, &x.Attempt, &x.Status, &ms, &x.Error)
			x.Time, x.Duration = x.Time.UTC(), time.Duration(ms*float64(time.Millisecond))
			return x, err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: deliveries: %w", err)
	}
	return found, nil
}
