package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// StoredAlert is an alert and what became of it.
type StoredAlert struct {
	streamflow.Alert
	Stored         time.Time
	Acknowledged   time.Time // zero: nobody has
	AcknowledgedBy string
}

const sqlInsertAlerts = `INSERT INTO ` + streamflow.TableAlerts + ` (` + alertNames + `)
	SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
		$9::float8[], $10::jsonb[], $11::text[], $12::int[], $13::bigint[])
	ON CONFLICT (id) DO NOTHING`

// alertNames are the columns that an alert brings.
const alertNames = `id, time, severity, symbol, rule, name, when_text, text, price, values, kafka_topic, kafka_partition, kafka_offset`

// InsertAlerts stores the alerts whose IDs are not in the table and returns how
// many these were. Text is stored without what the database has no room for: a
// NUL and invalid UTF-8 become U+FFFD, and a value that is no number is left
// out. After an error some may be stored; the caller sends all of them again.
func (d *DB) InsertAlerts(ctx context.Context, alerts []streamflow.Alert) (written int64, refused []error, err error) {
	rows := make([]*streamflow.Alert, len(alerts))
	for i := range alerts {
		rows[i] = &alerts[i]
	}
	// Two writers wait for each other's IDs: in one order, not in a circle.
	slices.SortFunc(rows, func(a, b *streamflow.Alert) int { return cmp.Compare(a.ID, b.ID) })
	written, refused, err = upsert(ctx, d, sqlInsertAlerts, rows, alertColumns, func(a *streamflow.Alert) string {
		return fmt.Sprintf("alert %.100s", a.ID)
	})
	if err != nil {
		err = fmt.Errorf("postgres: %d alerts: %w", len(alerts), err)
	}
	return written, refused, err
}

func alertColumns(rows []*streamflow.Alert) []any {
	n := len(rows)
	var texts [7][]string // id, severity, symbol, rule, name, when, text
	for i := range texts {
		texts[i] = make([]string, n)
	}
	at, price, values := make([]time.Time, n), make([]float64, n), make([]string, n)
	topic, partition, offset := make([]*string, n), make([]*int32, n), make([]*int64, n)
	for i, a := range rows {
		for column, s := range [...]string{a.ID, string(a.Severity), a.Symbol, a.Rule, a.Name, a.When, a.Text} {
			texts[column][i] = clean(s)
		}
		at[i], price[i], values[i] = a.Time, a.Price, cleanValues(a.Values)
		if p, err := streamflow.ParsePosition(a.Position); err == nil {
			p.Topic = clean(p.Topic)
			topic[i], partition[i], offset[i] = &p.Topic, &p.Partition, &p.Offset
		}
	}
	return []any{texts[0], at, texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], price, values, topic, partition, offset}
}

// clean makes s what a column of type text can hold, so that no content keeps
// its neighbours from being stored.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

func cleanValues(values map[string]float64) string {
	kept := make(map[string]float64, len(values))
	for name, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			kept[clean(name)] = v
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return "{}" // it cannot fail on finite numbers
	}
	return string(text)
}

// Acknowledge notes that somebody has seen alerts, and returns those of ids that
// are stored as they stand now, newest first. The first one to acknowledge an
// alert is kept.
func (d *DB) Acknowledge(ctx context.Context, ids []string, by string) ([]StoredAlert, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	ids = slices.Clone(ids)
	for i := range ids {
		ids[i] = clean(ids[i])
	}
	batch := &pgx.Batch{}
	batch.Queue(sqlAcknowledge+`WHERE id = ANY($2) AND acknowledged_at IS NULL ORDER BY id FOR UPDATE)`, clean(by), ids)
	batch.Queue(sqlAlerts+`WHERE id = ANY($1) ORDER BY time DESC, id DESC`, ids)
	results := d.pool.SendBatch(ctx, batch)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return nil, fmt.Errorf("postgres: acknowledge: %w", err)
	}
	rows, err := results.Query()
	if err != nil {
		return nil, fmt.Errorf("postgres: acknowledge: %w", err)
	}
	return collectAlerts(rows)
}

// sqlAcknowledge locks its rows in one order, as all writers here do.
const sqlAcknowledge = `UPDATE ` + streamflow.TableAlerts + ` SET acknowledged_at = now(), acknowledged_by = $1
	WHERE id IN (SELECT id FROM ` + streamflow.TableAlerts + ` `

// AcknowledgeAll acknowledges what q selects, on all its pages, and returns how
// many alerts nobody had acknowledged before.
func (d *DB) AcknowledgeAll(ctx context.Context, q AlertsQuery, by string) (n int64, err error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	w := where{args: []any{clean(by)}}
	w.b.WriteString(sqlAcknowledge + `WHERE acknowledged_at IS NULL`)
	q.filter(&w)
	tag, err := d.pool.Exec(ctx, w.b.String()+` ORDER BY id FOR UPDATE)`, w.args...)
	if err != nil {
		return 0, fmt.Errorf("postgres: acknowledge: %w", err)
	}
	return tag.RowsAffected(), nil
}
