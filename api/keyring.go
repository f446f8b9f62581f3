package api

import (
	"sync"
	"time"
)

// keyring remembers what was done under an Idempotency-Key, for a while and
// within bounds: beyond them the oldest are forgotten. It is the memory of this
// process: a key that is sent to another one, or after a restart, is a new one.
type keyring struct {
	mu      sync.Mutex
	jobs    map[string]*job
	oldest  []*job // those with a key that are decided, in the order of that
	results int    // of them
}

// job is what is done for one request.
type job struct {
	key  string // "" is remembered by nobody
	body [32]byte
	at   time.Time // when it was decided
	done chan struct{}
	// What follows holds when done is closed.
	answer TicksInAnswer
	err    error
}

const (
	keyMemory  = 10 * time.Minute
	maxKeys    = 10_000
	maxResults = 200_000 // some 30 MB
)

func newKeyring() *keyring { return &keyring{jobs: make(map[string]*job)} }

// enter returns the job of a key; mine says that the caller has to do it.
func (k *keyring) enter(key string, body [32]byte, now time.Time) (j *job, mine bool, err error) {
	if key == "" {
		return &job{done: make(chan struct{})}, true, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.expire(now)
	if j := k.jobs[key]; j != nil {
		if j.body != body {
			return nil, false, badField("header.Idempotency-Key", key, "this key was used with another body: take a new key for new ticks")
		}
		return j, false, nil
	}
	if len(k.jobs)-len(k.oldest) >= maxKeys {
		return nil, false, unavailable("%d requests with an Idempotency-Key wait for %s already", maxKeys, serverKafka)
	}
	j = &job{key: key, body: body, done: make(chan struct{})}
	k.jobs[key] = j
	return j, true, nil
}

// keep remembers a job that is decided.
func (k *keyring) keep(j *job) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if j.at = time.Now(); j.key != "" {
		k.oldest = append(k.oldest, j)
		k.results += len(j.answer.Results)
		k.expire(j.at)
	}
	close(j.done)
}

// forget lets go of a job of which nothing came.
func (k *keyring) forget(j *job, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if j.key != "" {
		delete(k.jobs, j.key)
	}
	j.err = err
	close(j.done)
}

// expire forgets what is too old or too much; the caller holds the lock.
func (k *keyring) expire(now time.Time) {
	n := 0
	for n < len(k.oldest) && (now.Sub(k.oldest[n].at) > keyMemory || len(k.oldest)-n > maxKeys || k.results > maxResults) {
		delete(k.jobs, k.oldest[n].key)
		k.results -= len(k.oldest[n].answer.Results)
		n++
	}
	clear(k.oldest[:n])
	if k.oldest = k.oldest[n:]; len(k.oldest) == 0 {
		k.oldest = nil
	}
}
