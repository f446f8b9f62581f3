package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// Remove removes a key if it is still at revision; else [streamflow.ErrFenced].
func (b *Bucket) Remove(ctx context.Context, key string, revision uint64) error {
	kv, err := b.open(ctx)
	if err != nil {
		return err
	}
	err = kv.Delete(ctx, key, jetstream.LastRevision(revision))
	var refused *jetstream.APIError
	if errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return fmt.Errorf("bucket %s, key %s: %w", b.name, key, streamflow.ErrFenced)
	}
	return b.wrap(err)
}
