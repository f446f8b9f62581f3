package main

import (
	"context"
	"encoding/json"
	"io"

	"streamflow/infra/backup"
	"streamflow/infra/jetstream"
)

// durables copies how far the durables have come, before all else: what they
// have acknowledged is in all that is copied later. What is delivered again lies
// below a position, or, as with alerts to webhooks, has the same number again.
func (t *taking) durables(ctx context.Context, streams []string) error {
	var all []jetstream.DurableCopy
	for _, stream := range streams {
		list, err := t.js.Durables(ctx, stream)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	return t.write(pieceDurables, func(w io.Writer) (int64, error) {
		return int64(len(all)), json.NewEncoder(w).Encode(all)
	}, nil)
}

// restoreDurables makes the durables go on where they were.
func restoreDurables(ctx context.Context, js *jetstream.Client, r *backup.Reader, p backup.Piece) error {
	var all []jetstream.DurableCopy
	err := r.Read(p, nil, func(in io.Reader) error { return json.NewDecoder(in).Decode(&all) })
	for _, d := range all {
		if err == nil {
			err = js.RestoreDurable(ctx, d)
		}
	}
	return err
}
