package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"streamflow"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/secure"
)

// parse reads a command line as main does.
func parse(t *testing.T, args ...string) *cli {
	t.Helper()
	c, _ := parsed(t, args...)
	return c
}

// parsed is parse, with what else the parser knows.
func parsed(t *testing.T, args ...string) (*cli, *kong.Context) {
	t.Helper()
	var c cli
	parser, err := kong.New(&c, kong.Vars{"symbols": defaultSymbols, "interval": defaultInterval.String(), "group": streamflow.GroupBridge})
	if err != nil {
		t.Fatal(err)
	}
	line, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	return &c, line
}

// Every variable comes to where it is meant to, for every command that connects.
func TestSettingsReachTheClients(t *testing.T) {
	for name, value := range map[string]string{
		"KAFKA_TLS": "true", "KAFKA_TLS_CA": "kca", "KAFKA_TLS_CERT": "kcert", "KAFKA_TLS_KEY": "kkey", "KAFKA_SASL_MECHANISM": "plain",
		"KAFKA_SASL_USER": "kuser", "KAFKA_SASL_PASSWORD": "kpass", "KAFKA_SASL_PASSWORD_FILE": "kfile",
		"NATS_TLS_CA": "nca", "NATS_TLS_CERT": "ncert", "NATS_TLS_KEY": "nkey", "NATS_CREDS": "creds", "NATS_NKEY": "seed",
		"NATS_USER": "nuser", "NATS_PASSWORD": "npass", "NATS_PASSWORD_FILE": "nfile", "NATS_INBOX_PREFIX": "inbox",
	} {
		t.Setenv(name, value)
	}
	wantKafka := kafka.Security{
		TLS: true, Files: secure.TLS{CA: "kca", Cert: "kcert", Key: "kkey"}, Mechanism: "plain", User: "kuser",
		Password: secure.Secret{Value: "kpass", File: "kfile"},
	}
	wantNATS := jetstream.Security{
		Files: secure.TLS{CA: "nca", Cert: "ncert", Key: "nkey"}, Creds: "creds", NKey: "seed", User: "nuser",
		Password: secure.Secret{Value: "npass", File: "nfile"}, InboxPrefix: "inbox",
	}
	// All fields in cli of these types, wherever they stand.
	found := make(map[string]int)
	var walk func(command string, v reflect.Value)
	walk = func(command string, v reflect.Value) {
		if v.Kind() != reflect.Struct {
			return
		}
		switch f := v.Interface().(type) {
		case kafkaSecurity:
			found["kafka"]++
			if got := f.security(); got != wantKafka {
				t.Errorf("%s: %+v", command, got)
			}
		case natsSecurity:
			found["nats"]++
			if got := f.security(); got != wantNATS {
				t.Errorf("%s: %+v", command, got)
			}
		default:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() || v.Type().Field(i).Anonymous {
					walk(command, reflect.NewAt(v.Field(i).Type(), v.Field(i).Addr().UnsafePointer()).Elem())
				}
			}
		}
	}
	for _, args := range [][]string{
		{"up"}, {"bridge"}, {"worker"}, {"api"}, {"topics"}, {"tail"}, {"verify"}, {"rebuild"}, {"simulate", "ticks"}, {"simulate", "events"},
		{"simulate", "users"}, {"ingest", "-"}, {"functions", "list"}, {"functions", "show", "candles"}, {"rules", "list"}, {"keys", "list"},
	} {
		c := parse(t, args...)
		clear(found)
		field := reflect.ValueOf(c).Elem().FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, args[0]) })
		if len(args) > 1 && args[0] != "ingest" {
			field = field.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, args[1]) })
		}
		walk(strings.Join(args, " "), field)
		if found["kafka"]+found["nats"] == 0 {
			t.Errorf("%s connects to nothing", strings.Join(args, " "))
		}
	}
}

// The API speaks HTTPS, its health check takes its certificate and no other,
// and mistakes are named before anything is started.
func TestHTTPS(t *testing.T) {
	a, err := secure.OpenAuthority(filepath.Join(t.TempDir(), "secure"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := a.Issue("api.example.com", "api.example.com") // not the address that is asked
	if err != nil {
		t.Fatal(err)
	}
	other, err := a.Issue("other", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	f := httpFlags{HTTPAddr: "127.0.0.1:0", HTTPCert: files.Cert, HTTPKey: files.Key}
	ln, err := f.listen()
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.Path)) })}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	if want := "https://" + ln.Addr().String(); f.url(ln) != want {
		t.Errorf("%s, want %s", f.url(ln), want)
	}
	ask := func(cert string) error {
		c := healthCmd{HTTPAddr: ln.Addr().String(), HTTPCert: cert, Timeout: time.Minute}
		return c.Run(t.Context())
	}
	if err := ask(files.Cert); err != nil {
		t.Error(err)
	}
	if err := ask(other.Cert); err == nil || !strings.Contains(err.Error(), "another certificate") {
		t.Errorf("with another certificate: %v", err)
	}
	if err := ask(""); err == nil {
		t.Error("in the clear it answers")
	}
	if err := httpProbe(ln.Addr().String(), files.Cert).try(t.Context()); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		f    httpFlags
		want string
	}{
		{httpFlags{HTTPCert: files.Cert}, "HTTP_TLS_KEY is not"},
		{httpFlags{HTTPCert: files.Cert, HTTPKey: other.Key}, "belongs to it"},
		{httpFlags{HTTPCert: "/no/such/file", HTTPKey: other.Key}, "HTTP_TLS_CERT"},
	} {
		c.f.HTTPAddr = "127.0.0.1:0"
		if _, err := c.f.listen(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// What --secure cannot do, it says, and what it makes, it keeps.
func TestVault(t *testing.T) {
	c := parse(t, "up", "--secure", "--nats=nats://127.0.0.1:1", "--data-dir="+t.TempDir()).Up
	if err := c.Run(context.Background(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "NATS_URL") {
		t.Errorf("with a NATS of one's own: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "secure")
	stages := guardedStages(topicFlags{"mine"}, "group")
	one, err := openVault(dir, stages, hostsOf("192.0.2.1:4222", ":8080"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := openVault(dir, stages, hostsOf("192.0.2.1:4222", ":8080"))
	if err != nil || !reflect.DeepEqual(one, two) {
		t.Errorf("opened again it differs: %v", err)
	}
	names := make(map[string]bool)
	for _, p := range one.parts {
		if names[p.Name] || p.password == "" || !strings.HasPrefix(p.nkey, "U") {
			t.Errorf("%s: twice, or without secrets", p.Name)
		}
		names[p.Name] = true
	}
	for _, e := range registry {
		if !names[e.name] {
			t.Errorf("function %s has no user", e.name)
		}
	}
	found := false
	for _, s := range stages {
		for _, r := range kafka.Rights(s) {
			found = found || r.Name == "mine"
			if r.Name == streamflow.TopicTicks {
				t.Errorf("%s has rights on a topic that is not used: %v", s.Name, r)
			}
		}
	}
	if !found {
		t.Error("nobody has rights on the topic of the ticks")
	}
	if hosts := strings.Join(hostsOf("192.0.2.1:4222", ":8080", "0.0.0.0:1"), " "); !strings.Contains(hosts, "192.0.2.1") || strings.Contains(hosts, "0.0.0.0") {
		t.Error(hosts)
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, "api.password"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := openVault(dir, stages, nil); err == nil || !strings.Contains(err.Error(), "can be read by others") {
		t.Errorf("a password that all can read: %v", err)
	}
}
