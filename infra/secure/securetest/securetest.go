// Package securetest gives tests of servers that speak TLS what both sides need.
package securetest

import (
	"os"
	"path/filepath"
	"testing"

	"streamflow/infra/secure"
)

// Side makes the files of a server's side of TLS.
type Side func(*secure.Authority) secure.TLS

// Authority returns one of its own.
func Authority(t *testing.T) *secure.Authority {
	t.Helper()
	a, err := secure.OpenAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Issue returns the files of name, who is at 127.0.0.1.
func Issue(t *testing.T, a *secure.Authority, name string) secure.TLS {
	t.Helper()
	files, err := a.Issue(name, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Open is a server that asks clients for no certificate.
func Open(t *testing.T) Side {
	return func(a *secure.Authority) secure.TLS {
		files := Issue(t, a, "server")
		return secure.TLS{Cert: files.Cert, Key: files.Key}
	}
}

// Mutual is a server that does.
func Mutual(t *testing.T) Side {
	return func(a *secure.Authority) secure.TLS { return Issue(t, a, "server") }
}

// File returns the name of a file with that text.
func File[T ~string | ~[]byte](t *testing.T, text T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
