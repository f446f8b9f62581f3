package jetstream

import (
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestNewEnough(t *testing.T) {
	for version, want := range map[string]bool{
		"2.14.0": true, "2.15.2": true, "3.0.0-beta.1": true, "": true, "dev": true,
		"2.13.9": false, "2.9.25": false, "1.4.1": false,
	} {
		if got := newEnough(version); got != want {
			t.Errorf("%q: %v, want %v", version, got, want)
		}
	}
}

// A server that wants a certificate may be gone before its word for that is read.
func TestExplainsAServerThatHangsUp(t *testing.T) {
	for _, fault := range []error{io.EOF, syscall.EPIPE, syscall.ECONNRESET} { // as nats.go reports a server that was quicker than our second write
		err := fmt.Errorf("tls error: connection closed by remote after TLS handshake: %w", &net.OpError{Op: "write", Net: "tcp", Err: fault})
		if why := (Security{}).explain("tls://localhost", err); !strings.Contains(why, "wants a certificate") || !strings.Contains(why, "NATS_TLS_CERT") {
			t.Errorf("%v is explained by %q", err, why)
		}
		if why := (Security{}).explain("tls://localhost", fault); !strings.Contains(why, "is the server running") { // no TLS is known to have been there
			t.Errorf("%v is explained by %q", fault, why)
		}
	}
}
