package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Store is where keys are kept: a bucket that tells all who read it of a change.
type Store interface {
	// Watch tells of every key that is there, then once of the key "", and then of
	// every change (nil is gone), until ctx ends or it fails.
	Watch(ctx context.Context, change func(key string, value []byte, revision uint64)) error
	Put(ctx context.Context, key string, value []byte) error
}

const (
	// readEvery is how often all keys are read anew, whatever the watch has told:
	// it is how a silent watch is told from one that was lost.
	readEvery = 30 * time.Second
	// staleAfter is how old the keys may be. A revocation could not be heard for
	// so long, so no key is taken any more.
	staleAfter = 2 * time.Minute
	watchRetry = time.Second
)

// Reasons why a key is not taken.
var (
	errUnknown = errors.New("it is not known here")
	errExpired = errors.New("it has expired")
	errRevoked = errors.New("it was revoked")
	errStale   = errors.New("the API keys cannot be read at the moment")
)

// held is a key with the life of what is done by it.
type held struct {
	Key
	life context.Context // ends when the key does
	end  context.CancelCauseFunc
}

// Ring knows the keys of a store as they are now.
type Ring struct {
	store Store
	log   *slog.Logger
	mu    sync.RWMutex
	keys  map[string]*held
	used  map[string]Used
	heard time.Time // when all keys were last read
}

// NewRing returns a ring that knows no key before [Ring.Run] has read the store.
func NewRing(store Store, log *slog.Logger) *Ring {
	if log == nil {
		log = slog.Default()
	}
	return &Ring{store: store, log: log, keys: make(map[string]*held), used: make(map[string]Used)}
}

// Run follows the store until ctx ends.
func (r *Ring) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for every := time.NewTicker(usedEvery); ; {
			select {
			case <-ctx.Done():
				every.Stop()
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
				r.writeUsed(last)
				cancel()
				return
			case <-every.C:
				r.writeUsed(ctx)
			}
		}
	})
	for ctx.Err() == nil {
		if err := r.read(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("the API keys cannot be read; those that are known hold for "+staleAfter.String(), "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(watchRetry):
			}
		}
	}
	wg.Wait()
}

// read reads all keys and follows their changes until it is time to read anew.
func (r *Ring) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readEvery)
	defer cancel()
	seen, all := make(map[string]bool), false
	err := r.store.Watch(ctx, func(id string, value []byte, _ uint64) {
		if _, isUse := UsedID(id); isUse {
			return
		}
		if id == "" {
			all = true
			r.confirm(seen)
			return
		}
		seen[id] = true
		r.change(id, value)
	})
	switch {
	case all && ctx.Err() != nil:
		return nil
	case err == nil:
		return errors.New("the watch of the keys has ended")
	}
	return err
}

// change takes up what stands under an id now. What cannot be read is no key.
func (r *Ring) change(id string, value []byte) {
	var now *held
	if value != nil {
		k, err := ParseKey(id, value)
		if err != nil {
			r.log.Error("an API key cannot be read and is not taken", "error", err)
		} else {
			now = &held{Key: k}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.keys[id]
	if was != nil && now != nil && was.Key == now.Key {
		return
	}
	if was != nil {
		was.end(errRevoked)
	}
	delete(r.keys, id)
	if now != nil {
		r.keys[id] = now.begin()
	}
}

// begin gives a key its life: until it is revoked or changed, or expires.
func (h *held) begin() *held {
	life, end := context.WithCancelCause(context.Background())
	h.life, h.end = life, end
	if !h.Revoked.IsZero() {
		end(errRevoked)
	} else if !h.Expires.IsZero() {
		timed, cancel := context.WithDeadlineCause(life, h.Expires, errExpired)
		h.life, h.end = timed, func(cause error) { end(cause); cancel() }
	}
	return h
}

// confirm forgets the keys that are not there any more.
func (r *Ring) confirm(seen map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, h := range r.keys {
		if !seen[id] {
			h.end(errRevoked)
			delete(r.keys, id)
		}
	}
	r.heard = time.Now()
}

// check returns the key of a text. Why a key is not taken is told only to who
// has its secret: to all others it is not known.
func (r *Ring) check(text string, now time.Time) (*held, error) {
	id, secret, ok := split(text)
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.heard.IsZero() || now.Sub(r.heard) > staleAfter+readEvery {
		return nil, errStale
	}
	h := r.keys[id]
	none := Key{Hash: hash("")} // an unknown id costs as much time as a wrong secret
	if h == nil {
		none.matches(secret)
		return nil, errUnknown
	}
	if !ok || !h.matches(secret) {
		return nil, errUnknown
	}
	switch h.State(now) {
	case "revoked":
		return nil, fmt.Errorf("key %s (%s): %w", h.ID, h.Name, errRevoked)
	case "expired":
		return nil, fmt.Errorf("key %s (%s): %w", h.ID, h.Name, errExpired)
	}
	return h, nil
}
