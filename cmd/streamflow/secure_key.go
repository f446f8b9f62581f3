package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"streamflow/api/guard"
	"streamflow/infra/jetstream"
	"streamflow/infra/secure"
)

// makeKey makes the first key of the API, of scope admin, with which all others
// can be made. It is kept in a file; the file that is there is kept.
func makeKey(file string) (text string, err error) {
	text, err = secure.Keep(file, func() (string, error) {
		_, text, err := guard.NewKey("first", guard.ScopeAdmin, time.Now(), time.Time{})
		return text, err
	})
	return strings.TrimSpace(text), err
}

// storeKey makes the first key known, unless it is or was: one that somebody
// revoked stays so.
func storeKey(ctx context.Context, js *jetstream.Client, text string) error {
	k, err := guard.KeyOf(text, "first", guard.ScopeAdmin, time.Now())
	if err != nil {
		return err
	}
	bucket, err := keyBucket(ctx, js)
	if err != nil {
		return err
	}
	kept, err := bucket.Read(ctx, []string{k.ID})
	if err != nil || kept[0].Revision > 0 {
		return err
	}
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if _, err := bucket.Update(ctx, k.ID, data, 0); err != nil {
		return fmt.Errorf("first key of the API: %w", err)
	}
	return nil
}
