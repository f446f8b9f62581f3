package jetstream

import (
	"fmt"

	"github.com/nats-io/nkeys"
)

// NewNKey returns the seed of a new user's nkey: what [Security.NKey] names a
// file of.
func NewNKey() (seed string, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return "", err
	}
	text, err := pair.Seed()
	return string(text), err
}

// PublicNKey returns the key of a seed that a server may know.
func PublicNKey(seed string) (string, error) {
	pair, err := nkeys.ParseDecoratedNKey([]byte(seed))
	if err != nil {
		return "", fmt.Errorf("nkey: %w", err)
	}
	return pair.PublicKey()
}
