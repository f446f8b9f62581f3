package jetstream

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"streamflow"
)

// Kept is a value of a bucket with its revision; the zero Kept is a key that is
// not there.
type Kept struct {
	Value    []byte
	Revision uint64
}

// readers is how many keys are read at the same time.
const readers = 16

// Read returns what stands at each key. A bucket that is not there holds nothing.
func (b *Bucket) Read(ctx context.Context, keys []string) ([]Kept, error) {
	if err := b.c.away(); err != nil {
		return nil, err
	}
	kept := make([]Kept, len(keys))
	kv, err := b.c.js.KeyValue(ctx, b.name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return kept, nil
	}
	if err != nil {
		return nil, b.wrap(err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for i, key := range keys {
		g.Go(func() error {
			e, err := kv.Get(ctx, key)
			if errors.Is(err, jetstream.ErrKeyNotFound) {
				return nil
			}
			if err == nil {
				kept[i] = Kept{e.Value(), e.Revision()}
			}
			return err
		})
	}
	return kept, b.wrap(g.Wait())
}

// Make makes the bucket, as safe as that of the functions, unless it is there.
func (b *Bucket) Make(ctx context.Context, description string) error {
	if err := b.c.away(); err != nil {
		return err
	}
	_, err := b.c.js.KeyValue(ctx, b.name)
	if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return b.wrap(err)
	}
	replicas := 1
	if kv, err := b.c.js.KeyValue(ctx, streamflow.BucketFunctions); err == nil {
		if status, err := kv.Status(ctx); err == nil {
			replicas = max(status.Config().Replicas, 1)
		}
	}
	_, err = b.c.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: b.name, Description: description, Replicas: replicas})
	return b.wrap(err)
}
