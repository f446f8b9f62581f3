package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"streamflow"
	"streamflow/functions/fleet"
	"streamflow/functions/notify"
	"streamflow/infra/postgres"
)

// notifier is the function that delivers alerts. Its parameters are
// {"webhooks":[...]}, see docs/notify.md.
func notifier() *entry {
	return &entry{
		name: streamflow.FunctionNotify, does: "delivers alerts to webhooks", reads: streamflow.StreamAlerts, writes: "webhooks, table " + streamflow.TableDeliveries,
		state: streamflow.StateRunning, alone: true, checkParams: func(params json.RawMessage) error { _, err := webhooks(params, false); return err },
		open: func(j *joint, _ *entry, params json.RawMessage) (fleet.Program, error) {
			hooks, err := webhooks(params, true)
			return &notifyProgram{j: j, hooks: hooks}, err
		},
	}
}

// webhooks reads the parameters. Keys are not among them: everybody may read
// the bucket. Where they are kept only the workers know, so who just checks
// does without them.
func webhooks(params json.RawMessage, withKeys bool) ([]notify.Webhook, error) {
	var p struct {
		Webhooks []map[string]json.RawMessage `json:"webhooks"`
	}
	if len(params) == 0 {
		return nil, nil
	}
	if err := strict(params, &p); err != nil {
		return nil, fmt.Errorf("want {\"webhooks\":[...]}: %w", err)
	}
	for i, h := range p.Webhooks {
		if _, inline := h["secret"]; inline {
			return nil, fmt.Errorf("webhooks[%d]: secret would stand in the bucket for everybody to read: use secret_env or secret_file", i)
		}
		if !withKeys {
			delete(h, "secret_file")
			delete(h, "secret_env")
			h["secret"] = json.RawMessage(`"only to check the rest of it"`)
		}
	}
	data, err := json.Marshal(p.Webhooks)
	if err != nil {
		return nil, err
	}
	return notify.ParseConfig(data)
}

// notifyProgram delivers alerts to webhooks. It may run twice for a moment, for
// each webhook's queue hands an alert to one worker at a time.
type notifyProgram struct {
	j     *joint
	hooks []notify.Webhook
}

// Shard returns its only shard.
func (p *notifyProgram) Shard(streamflow.Layout, int) fleet.Shard { return &notifyShard{p: p} }

// Pending asks all queues.
func (p *notifyProgram) Pending(ctx context.Context, _ int) (sum uint64, err error) {
	for _, h := range p.hooks {
		undelivered, unacked, failed := p.j.js.Queue(streamflow.StreamAlerts, streamflow.SubjectAllAlerts, notify.Durable(h.Name)).Pending(ctx)
		sum, err = sum+undelivered+uint64(unacked), errors.Join(err, failed)
	}
	return sum, err
}

// Move has nothing to move.
func (p *notifyProgram) Move(context.Context, streamflow.Layout, streamflow.Layout, *streamflow.Replay) error {
	return errors.New("webhooks keep no layout")
}

// Tidy has nothing to tidy up.
func (p *notifyProgram) Tidy(context.Context, streamflow.Layout) error { return nil }

// notifyShard is the delivery at work.
type notifyShard struct {
	p    *notifyProgram
	runs atomic.Bool
}

// Report says how it stands; its figures are metrics by webhook.
func (s *notifyShard) Report() fleet.Report { return fleet.Report{Owner: s.runs.Load()} }

// Run delivers until ctx ends.
func (s *notifyShard) Run(ctx context.Context) error {
	s.runs.Store(true)
	defer s.runs.Store(false)
	if len(s.p.hooks) == 0 {
		<-ctx.Done()
		return nil
	}
	j := s.p.j
	db, err := j.postgresFlags.connect(ctx, streamflow.FunctionNotify, j.Topic)
	if err != nil {
		return err
	}
	defer db.Close()
	return notify.New(notify.Config{
		Webhooks: s.p.hooks, Recorder: recorder{db}, DeadLetters: letterBox{j}, Logger: j.log, Metrics: j.metrics.notify,
		Open: func(w notify.Webhook) notify.Queue {
			return j.js.Queue(streamflow.StreamAlerts, streamflow.SubjectAllAlerts, notify.Durable(w.Name))
		},
	}).Run(ctx)
}

// recorder keeps deliveries in the database.
type recorder struct{ db *postgres.DB }

// RecordDelivery stores one.
func (r recorder) RecordDelivery(ctx context.Context, d notify.Delivery) error {
	return r.db.RecordDelivery(ctx, postgres.Delivery{
		Time: d.Time, Webhook: d.Webhook, AlertID: d.AlertID, Attempt: d.Attempt, Status: d.Status, Duration: d.Duration, Error: d.Error,
	})
}

// letterBox stores dead letters of webhooks.
type letterBox struct{ j *joint }

// Reject stores one.
func (l letterBox) Reject(ctx context.Context, function string, letter streamflow.DeadLetter) error {
	return l.j.js.Ledger(streamflow.StreamAlerts, function, 1, 0).Reject(ctx, letter)
}
