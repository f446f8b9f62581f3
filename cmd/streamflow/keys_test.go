package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"streamflow/api/guard"
	"streamflow/infra/embedded"
)

// A key that is made on one server's bucket is taken by every ring that reads it,
// and by none from the moment that it is revoked.
func TestKeysAgainstNATS(t *testing.T) {
	server, err := embedded.StartNATS(embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	d, err := openKeyDesk(ctx, natsFlags{NATS: server.URL()}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer d.js.Close()
	k, _, err := guard.NewKey("ada", guard.ScopeRead, time.Now(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	data, _ := json.Marshal(k)
	if _, err := d.bucket.Update(ctx, k.ID, data, 0); err != nil {
		t.Fatal(err)
	}
	if err := d.bucket.Put(ctx, guard.UsedKey(k.ID), []byte(`{"at":"2025-11-21T14:30:00Z","from":"192.0.2.7"}`)); err != nil {
		t.Fatal(err)
	}
	rows, err := d.rows(ctx, time.Now())
	if err != nil || len(rows) != 1 || rows[0].State != "active" || rows[0].LastUsed == nil {
		t.Fatalf("%+v %v", rows, err)
	}
	if revoked, err := d.revoke(ctx, k.ID, time.Now()); err != nil || revoked.ID != k.ID {
		t.Fatalf("%+v %v", revoked, err)
	}
	if _, err := d.revoke(ctx, k.ID, time.Now()); err != nil {
		t.Errorf("revoked again: %v", err)
	}
	if _, err := d.revoke(ctx, "ffffffffff", time.Now()); err == nil || !strings.Contains(err.Error(), "keys list") {
		t.Errorf("a key that is not there: %v", err)
	}
	var out bytes.Buffer
	if rows, err = d.rows(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := printKeys(&out, rows, time.Now()); err != nil || !strings.Contains(out.String(), "revoked") || !strings.Contains(out.String(), "192.0.2.7") {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	if err := printKeysJSON(&out, rows); err != nil || strings.Contains(out.String(), k.Hash) {
		t.Errorf("%v\n%s", err, out.String())
	}
}
