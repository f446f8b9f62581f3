package guard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// prefix makes a key that has got somewhere by mistake easy to find.
const prefix = "sf_"

const (
	idBytes     = 5
	secretBytes = 32
	maxName     = 64
)

// Key is what is kept of an API key: all but the key itself.
type Key struct {
	ID    string `json:"id"`   // 10 hexadecimal digits; the key begins with them
	Name  string `json:"name"` // whose it is, for people
	Scope Scope  `json:"scope"`
	// Hash is the SHA-256 of the key's secret in hexadecimal. The secret has 256
	// random bits: there is nothing to guess that a slow hash would protect.
	Hash    string    `json:"hash"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero is never
	Revoked time.Time `json:"revoked,omitzero"` // zero is not
}

// NewKey makes a key, and the text that its owner is given and nobody keeps.
func NewKey(name string, scope Scope, now, expires time.Time) (Key, string, error) {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return Key{}, "", fmt.Errorf("name %.80q: want 1 to %d bytes of text on one line", name, maxName)
	}
	if _, err := ParseScope(string(scope)); err != nil {
		return Key{}, "", err
	}
	if !expires.IsZero() && !expires.After(now) {
		return Key{}, "", fmt.Errorf("expiry %s has passed already", expires.Format(time.RFC3339))
	}
	var random [idBytes + secretBytes]byte
	_, _ = rand.Read(random[:]) // never fails: it would end the process
	id := hex.EncodeToString(random[:idBytes])
	secret := base64.RawURLEncoding.EncodeToString(random[idBytes:])
	k := Key{ID: id, Name: name, Scope: scope, Hash: hash(secret), Created: now.UTC().Truncate(time.Second)}
	if !expires.IsZero() {
		k.Expires = expires.UTC().Truncate(time.Second)
	}
	return k, prefix + id + "_" + secret, nil
}

// KeyOf returns what is to be kept of a key that [NewKey] made earlier, in
// another place: a deployment makes its first key before there is a bucket.
func KeyOf(text, name string, scope Scope, now time.Time) (Key, error) {
	id, secret, ok := split(text)
	if !ok {
		return Key{}, fmt.Errorf("this is no key of the API: one begins with %s and is made by `streamflow keys create`", prefix)
	}
	return Key{ID: id, Name: name, Scope: scope, Hash: hash(secret), Created: now.UTC().Truncate(time.Second)}, nil
}

// split parts a key into its id and its secret; ok is false if it has not the
// form of one.
func split(text string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(rest) != 2*idBytes+1+base64.RawURLEncoding.EncodedLen(secretBytes) || rest[2*idBytes] != '_' {
		return "", "", false
	}
	return rest[:2*idBytes], rest[2*idBytes+1:], true
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// matches compares in a time that does not depend on where they differ.
func (k *Key) matches(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(k.Hash), []byte(hash(secret))) == 1
}

// State says in a word whether a key holds: active, expired or revoked.
func (k *Key) State(now time.Time) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked"
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return "expired"
	}
	return "active"
}

// ParseKey reads what is kept of a key under its id.
func ParseKey(id string, data []byte) (Key, error) {
	var k Key
	if err := json.Unmarshal(data, &k); err != nil {
		return Key{}, fmt.Errorf("key %.20q: %w", id, err)
	}
	if k.ID != id || len(k.Hash) != 2*sha256.Size || ScopeNone.Covers(k.Scope) || !k.Scope.Covers(ScopeRead) {
		return Key{}, fmt.Errorf("key %.20q: its record is not one of a key", id)
	}
	return k, nil
}
