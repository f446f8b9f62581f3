package jetstream_test

import (
	"errors"
	"testing"

	"streamflow"
)

func TestRemoveIsFenced(t *testing.T) {
	c, _ := start(t)
	b := c.Bucket(streamflow.BucketRules)
	first, err := b.Update(t.Context(), "a", []byte("1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.Update(t.Context(), "a", []byte("2"), first)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(t.Context(), "a", first); !errors.Is(err, streamflow.ErrFenced) {
		t.Errorf("a revision that is over: %v", err)
	}
	if err := b.Remove(t.Context(), "a", second); err != nil {
		t.Error(err)
	}
	if err := b.Remove(t.Context(), "a", second); !errors.Is(err, streamflow.ErrFenced) {
		t.Errorf("a key that is gone: %v", err)
	}
	if _, err := b.Update(t.Context(), "a", []byte("3"), 0); err != nil {
		t.Errorf("made again: %v", err)
	}
}
