package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// Bucket is a key-value bucket.
type Bucket struct {
	c    *Client
	name string
}

// Bucket returns the bucket of that name, which need not be there yet.
func (c *Client) Bucket(name string) *Bucket { return &Bucket{c, name} }

func (b *Bucket) open(ctx context.Context) (jetstream.KeyValue, error) {
	kv, err := b.c.js.KeyValue(ctx, b.name)
	if errors.Is(err, jetstream.ErrBucketNotFound) && b.name == streamflow.BucketStatus {
		kv, err = b.c.remakeStatus(ctx)
	}
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, fmt.Errorf("bucket %s is missing, run `streamflow topics`: %w", b.name, err)
	}
	return kv, b.wrap(err)
}

// remakeStatus makes the bucket that is in memory, and which a single server
// loses when it is killed.
func (c *Client) remakeStatus(ctx context.Context) (jetstream.KeyValue, error) {
	kv, err := c.js.KeyValue(ctx, streamflow.BucketFunctions)
	if err != nil {
		return nil, err
	}
	like, err := kv.Status(ctx)
	if err != nil {
		return nil, err
	}
	for _, config := range buckets(Limits{Replicas: like.Config().Replicas}) {
		if config.Bucket == streamflow.BucketStatus {
			return c.js.CreateOrUpdateKeyValue(ctx, config)
		}
	}
	return nil, jetstream.ErrBucketNotFound
}

func (b *Bucket) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("bucket %s: %w", b.name, err)
}

// Watch calls change with every key that is there, then once with the key "",
// and then with every key that changes, until ctx ends or it fails. The value
// is nil for a key that is gone.
func (b *Bucket) Watch(ctx context.Context, change func(key string, value []byte, revision uint64)) error {
	kv, err := b.open(ctx)
	if err != nil {
		return err
	}
	w, err := kv.WatchAll(ctx)
	if err != nil {
		return b.wrap(err)
	}
	defer func() { _ = w.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, open := <-w.Updates():
			switch {
			case !open:
				return fmt.Errorf("bucket %s: the watch has ended", b.name)
			case e == nil:
				change("", nil, 0)
			case e.Operation() != jetstream.KeyValuePut:
				change(e.Key(), nil, e.Revision())
			default:
				change(e.Key(), e.Value(), e.Revision())
			}
		}
	}
}

// Update stores a value if the key is still at revision, 0 for one that is not
// there; else [streamflow.ErrFenced]. It returns the new revision.
func (b *Bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	kv, err := b.open(ctx)
	if err != nil {
		return 0, err
	}
	if revision == 0 {
		revision, err = kv.Create(ctx, key, value)
	} else {
		revision, err = kv.Update(ctx, key, value, revision)
	}
	var refused *jetstream.APIError
	if errors.Is(err, jetstream.ErrKeyExists) || errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return 0, fmt.Errorf("bucket %s, key %s: %w", b.name, key, streamflow.ErrFenced)
	}
	return revision, b.wrap(err)
}

// Put stores a value.
func (b *Bucket) Put(ctx context.Context, key string, value []byte) error {
	kv, err := b.open(ctx)
	if err == nil {
		_, err = kv.Put(ctx, key, value)
		err = b.wrap(err)
	}
	return err
}

// Delete removes a key; one that is not there is no error.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	kv, err := b.open(ctx)
	if err == nil {
		err = b.wrap(kv.Delete(ctx, key))
	}
	return err
}
