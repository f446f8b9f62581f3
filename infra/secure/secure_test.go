package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func authority(t *testing.T) *Authority {
	t.Helper()
	a, err := OpenAuthority(filepath.Join(t.TempDir(), "secure"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *Authority, name string, hosts ...string) TLS {
	t.Helper()
	files, err := a.Issue(name, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	files.Setting = "X_TLS"
	return files
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func wants(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error lacks %q: %v", w, err)
		}
	}
}

func TestMistakesInFilesAreNamed(t *testing.T) {
	a := authority(t)
	one, other := issue(t, a, "one"), issue(t, a, "other")
	gone, junk := filepath.Join(t.TempDir(), "gone"), file(t, "hello")
	for name, c := range map[string]struct {
		files TLS
		words []string
	}{
		"no authority":        {TLS{CA: gone}, []string{"X_TLS_CA", gone, "no such file", "authority"}},
		"not an authority":    {TLS{CA: junk}, []string{"X_TLS_CA", junk, "PEM"}},
		"no key":              {TLS{Cert: one.Cert}, []string{"X_TLS_CERT is set", "X_TLS_KEY is not"}},
		"no certificate":      {TLS{Key: one.Key}, []string{"X_TLS_KEY is set", "X_TLS_CERT is not"}},
		"missing certificate": {TLS{Cert: gone, Key: one.Key}, []string{"X_TLS_CERT", gone, "no such file"}},
		"missing key":         {TLS{Cert: one.Cert, Key: gone}, []string{"X_TLS_KEY", gone, "no such file"}},
		"not a certificate":   {TLS{Cert: junk, Key: one.Key}, []string{"X_TLS_CERT", junk, "PEM"}},
		"another's key":       {TLS{Cert: one.Cert, Key: other.Key}, []string{"X_TLS_CERT", one.Cert, "X_TLS_KEY", other.Key, "belongs to it"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.files.Setting = "X_TLS"
			_, err := c.files.Client()
			wants(t, err, c.words...)
			if c.files.CA == "" {
				_, err = c.files.Server()
				wants(t, err, c.words...)
			}
		})
	}
}

// handshake joins a client and a server and returns what each says.
func handshake(t *testing.T, server, client *tls.Config) (atServer, atClient error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			done <- err
			return
		}
		defer conn.Close()
		if server != nil {
			conn = tls.Server(conn, server)
		}
		_, err = conn.Write([]byte("hello, this is no TLS record\n"))
		done <- err
	}()
	conn, err := tls.Dial("tcp", ln.Addr().String(), client)
	if err == nil {
		defer conn.Close()
		_, err = io.ReadAll(conn)
	}
	return <-done, err
}

func TestHandshakes(t *testing.T) {
	a := authority(t)
	ours, strangers := issue(t, a, "ours", "127.0.0.1"), issue(t, authority(t), "strangers", "127.0.0.1")
	elsewhere := issue(t, a, "elsewhere", "example.com")
	mutual := ours
	open := TLS{Cert: ours.Cert, Key: ours.Key, Setting: "X_TLS"}
	for name, c := range map[string]struct {
		server, client TLS
		plain          bool
		want           string
	}{
		"good":                  {server: open, client: TLS{CA: a.CA()}},
		"good, mutual":          {server: mutual, client: ours},
		"unknown authority":     {server: open, client: TLS{CA: strangers.CA}, want: "X_TLS_CA"},
		"another name":          {server: TLS{Cert: elsewhere.Cert, Key: elsewhere.Key}, client: TLS{CA: a.CA()}, want: "another name"},
		"no client certificate": {server: mutual, client: TLS{CA: a.CA()}, want: "it wants a certificate from us: set X_TLS_CERT"},
		"stranger's":            {server: mutual, client: TLS{CA: a.CA(), Cert: strangers.Cert, Key: strangers.Key}, want: "certificate"},
		"no TLS there":          {plain: true, client: TLS{CA: a.CA()}, want: "does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.Setting, c.client.Setting = "X_TLS", "X_TLS"
			var server *tls.Config
			var err error
			if !c.plain {
				if server, err = c.server.Server(); err != nil {
					t.Fatal(err)
				}
			}
			client, err := c.client.Client()
			if err != nil {
				t.Fatal(err)
			}
			_, err = handshake(t, server, client)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && err == nil:
				t.Error("they speak")
			case c.want != "" && !strings.Contains(Explain(err, "X_TLS"), c.want):
				t.Errorf("%v is explained by %q, want %q", err, Explain(err, "X_TLS"), c.want)
			}
		})
	}
	if why := Explain(errors.New("something else"), "X_TLS"); why != "" {
		t.Errorf("what has nothing to do with TLS is explained by %q", why)
	}
	if why := Explain(x509.CertificateInvalidError{Reason: x509.Expired}, "X_TLS"); !strings.Contains(why, "expired") {
		t.Error(why)
	}
}

// What is there is kept, what ends or is for another host is made anew, and
// nobody else can read any of it.
func TestAuthorityKeepsItsCertificates(t *testing.T) {
	a := authority(t)
	first := issue(t, a, "server", "127.0.0.1")
	text := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	ca, cert := text(a.CA()), text(first.Cert)
	again, err := OpenAuthority(a.dir)
	if err != nil {
		t.Fatal(err)
	}
	if issue(t, again, "server", "127.0.0.1"); text(first.Cert) != cert || text(a.CA()) != ca {
		t.Error("a good certificate was made anew")
	}
	if issue(t, again, "server", "127.0.0.1", "localhost"); text(first.Cert) == cert {
		t.Error("a certificate for other hosts was kept")
	}
	old := certificate("server", renewDays-1)
	old.IPAddresses = []net.IP{net.ParseIP("127.0.0.1")}
	if _, err := again.make("server", old); err != nil {
		t.Fatal(err)
	}
	ending := text(first.Cert)
	if issue(t, again, "server", "127.0.0.1"); text(first.Cert) == ending {
		t.Error("a certificate that ends within a month was kept")
	}
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if len(entries) != 4 {
		t.Errorf("%d files, want a certificate and a key for each of two", len(entries))
	}
	// A renewal that was killed between its two files.
	if err := os.WriteFile(first.Cert, []byte(cert), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := issue(t, again, "server", "127.0.0.1").Server(); err != nil {
		t.Error(err)
	}
}

func TestSecrets(t *testing.T) {
	good := file(t, "s3 cret\n")
	for name, c := range map[string]struct {
		secret Secret
		want   string
		words  []string
	}{
		"value":   {Secret{Value: "v"}, "v", nil},
		"file":    {Secret{File: good}, "s3 cret", nil},
		"none":    {Secret{}, "", nil},
		"both":    {Secret{Value: "hidden", File: good}, "", []string{"X_PASSWORD and X_PASSWORD_FILE"}},
		"missing": {Secret{File: good + "-gone"}, "", []string{"X_PASSWORD_FILE", good + "-gone", "no such file"}},
		"empty":   {Secret{File: file(t, "\n")}, "", []string{"X_PASSWORD_FILE", "is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.secret.Setting = "X_PASSWORD"
			got, err := c.secret.Read()
			if got != c.want || (err == nil) != (c.words == nil) {
				t.Fatalf("got %q, %v", got, err)
			}
			if err != nil {
				wants(t, err, c.words...)
				if strings.Contains(err.Error(), "hidden") {
					t.Error("the error tells the secret")
				}
			}
		})
	}
}

func TestKeep(t *testing.T) {
	name := filepath.Join(t.TempDir(), "password")
	first, err := Keep(name, Password)
	if err != nil || len(first) < 20 {
		t.Fatal(first, err)
	}
	if again, err := Keep(name, Password); err != nil || again != first {
		t.Errorf("got %q, %v, want %q", again, err, first)
	}
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err = Keep(name, Password)
	wants(t, err, name, "can be read by others", "chmod 600")
	_, err = Keep(filepath.Join(t.TempDir(), "x"), func() (string, error) { return "", errors.New("no more") })
	wants(t, err, "no more")
}
