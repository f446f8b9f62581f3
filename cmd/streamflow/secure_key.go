package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"streamflow/api/guard"
	"streamflow/infra/jetstream"
	"streamflow/infra/secure"
)

// firstKey sees to it that there is one key of the API with which all others
// can be made: of scope admin, in the file admin.api-key.
func (v *vault) firstKey(ctx context.Context, js *jetstream.Client) error {
	bucket, err := keyBucket(ctx, js)
	if err != nil {
		return err
	}
	file := v.file(partAdmin, "api-key")
	if text, err := os.ReadFile(file); err == nil {
		// sf_<id>_<secret>; the bucket may have been made anew since.
		if parts := strings.Split(string(text), "_"); len(parts) == 3 {
			kept, err := bucket.Read(ctx, parts[1:2])
			if err != nil || kept[0].Revision > 0 {
				return err
			}
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_, err = secure.Keep(file, func() (string, error) {
		k, text, err := guard.NewKey("up --secure", guard.ScopeAdmin, time.Now(), time.Time{})
		if err != nil {
			return "", err
		}
		data, err := json.Marshal(k)
		if err != nil {
			return "", err
		}
		_, err = bucket.Update(ctx, k.ID, data, 0)
		return text, err
	})
	if err != nil {
		return fmt.Errorf("--secure: first key of the API: %w", err)
	}
	return nil
}
