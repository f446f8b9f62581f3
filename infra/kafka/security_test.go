package kafka_test

import (
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/embedded"
	"streamflow/infra/kafka"
	"streamflow/infra/secure"
	"streamflow/infra/secure/securetest"
)

// guarded is an embedded Kafka that speaks TLS and wants a login.
type guarded struct {
	addr  string
	certs *secure.Authority
}

const user, password = "ada", "correct horse"

// guard starts one. ours are the files of the server's side.
func guard(t *testing.T, files securetest.Side, users ...embedded.KafkaUser) guarded {
	t.Helper()
	g := guarded{certs: securetest.Authority(t)}
	c := embedded.KafkaConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Users: users, Logger: slog.New(slog.DiscardHandler)}
	if files != nil {
		var err error
		if c.TLS, err = files(g.certs).Server(); err != nil {
			t.Fatal(err)
		}
	}
	k, err := embedded.StartKafka(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	g.addr = k.Addr()
	return g
}

// roundTrip sends a record and reads it again.
func roundTrip(t *testing.T, addr string, s kafka.Security) {
	t.Helper()
	client, err := kafka.Connect(t.Context(), kafka.Config{Brokers: []string{addr}, Security: s, Timeout: time.Minute},
		kgo.ConsumeTopics("t"), kgo.DefaultProduceTopic("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), kgo.StringRecord("hello")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	fetches := client.PollFetches(t.Context())
	if err := fetches.Err(); err != nil || string(fetches.Records()[0].Value) != "hello" {
		t.Errorf("read %d records, %v", fetches.NumRecords(), err)
	}
}

// refused fails unless Connect does, quickly, and says each of the words and
// not the password.
func refused(t *testing.T, addr string, s kafka.Security, words ...string) {
	t.Helper()
	began := time.Now()
	client, err := kafka.Connect(t.Context(), kafka.Config{Brokers: []string{addr}, Security: s, Timeout: 30 * time.Second})
	if err == nil {
		client.Close()
		t.Fatal("it is let in")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nshould say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "wrong-1") {
		t.Errorf("the error tells a password: %v", err)
	}
	if took := time.Since(began); took >= 30*time.Second {
		t.Errorf("it took %s, its whole time", took)
	}
}

func TestRightCredentials(t *testing.T) {
	super := func(mechanism string) embedded.KafkaUser {
		return embedded.KafkaUser{Name: user, Password: password, Mechanisms: []string{mechanism}, Super: true}
	}
	login := func(mechanism string) kafka.Security {
		return kafka.Security{Mechanism: mechanism, User: user, Password: secure.Secret{Value: password}}
	}
	for _, mechanism := range kafka.Mechanisms {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			g := guard(t, nil, super(strings.ToUpper(mechanism)))
			roundTrip(t, g.addr, login(mechanism))
		})
		t.Run(mechanism+" on TLS, password in a file", func(t *testing.T) {
			t.Parallel()
			g := guard(t, securetest.Open(t), super(strings.ToUpper(mechanism)))
			s := login(strings.ToUpper(mechanism))
			s.Files.CA, s.Password = g.certs.CA(), secure.Secret{File: securetest.File(t, password+"\n")}
			roundTrip(t, g.addr, s)
		})
	}
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		g := guard(t, securetest.Open(t))
		roundTrip(t, g.addr, kafka.Security{Files: secure.TLS{CA: g.certs.CA()}})
	})
	t.Run("mutual TLS", func(t *testing.T) {
		t.Parallel()
		g := guard(t, securetest.Mutual(t))
		roundTrip(t, g.addr, kafka.Security{Files: securetest.Issue(t, g.certs, "client")})
	})
}

// TestWrongCredentials: what, where, what to do.
func TestWrongCredentials(t *testing.T) {
	ada := embedded.KafkaUser{Name: user, Password: password, Super: true}
	clear, login := guard(t, nil), guard(t, nil, ada)
	encrypted, both, strict := guard(t, securetest.Open(t)), guard(t, securetest.Open(t), ada), guard(t, securetest.Mutual(t))
	sasl := func(mechanism, name, pass string, ca string) kafka.Security {
		return kafka.Security{Files: secure.TLS{CA: ca}, Mechanism: mechanism, User: name, Password: secure.Secret{Value: pass}}
	}
	for name, c := range map[string]struct {
		at    guarded
		s     kafka.Security
		words []string
	}{
		"wrong password":            {login, sasl("scram-sha-512", user, "wrong-1", ""), []string{"login of user ada", "scram-sha-512", "KAFKA_SASL_PASSWORD_FILE"}},
		"unknown user":              {login, sasl("scram-sha-256", "eve", "wrong-1", ""), []string{"login of user eve"}},
		"a mechanism without it":    {login, sasl("plain", user, password, ""), []string{"login of user ada", "plain"}},
		"no login":                  {login, kafka.Security{}, []string{"KAFKA_SASL_MECHANISM"}},
		"wrong password on TLS":     {both, sasl("scram-sha-512", user, "wrong-1", both.certs.CA()), []string{"login of user ada"}},
		"no login on TLS":           {both, kafka.Security{Files: secure.TLS{CA: both.certs.CA()}}, []string{"wants a login", "KAFKA_SASL_MECHANISM"}},
		"in the clear to TLS":       {encrypted, kafka.Security{}, []string{"If it speaks TLS, set KAFKA_TLS", "KAFKA_TLS_CA"}},
		"login in the clear to TLS": {both, sasl("scram-sha-512", user, password, ""), []string{"If it speaks TLS, set KAFKA_TLS", "KAFKA_TLS_CA"}},
		"TLS to the clear":          {clear, kafka.Security{TLS: true}, []string{"no answer to a TLS handshake", "KAFKA_TLS"}},
		"unknown authority":         {encrypted, kafka.Security{TLS: true}, []string{"authority", "KAFKA_TLS_CA"}},
		"another's authority":       {encrypted, kafka.Security{Files: secure.TLS{CA: strict.certs.CA()}}, []string{"authority", "KAFKA_TLS_CA"}},
		"no client certificate":     {strict, kafka.Security{Files: secure.TLS{CA: strict.certs.CA()}}, []string{"wants a certificate", "KAFKA_TLS_CERT"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, c.at.addr, c.s, append(c.words, "kafka at "+c.at.addr)...)
		})
	}
	t.Run("another's client certificate", func(t *testing.T) {
		s := kafka.Security{Files: securetest.Issue(t, securetest.Authority(t), "client")}
		s.Files.CA = strict.certs.CA()
		refused(t, strict.addr, s, "certificate", "KAFKA_TLS_CERT")
	})
}

// What is wrong with the settings themselves shows before anything is asked.
func TestWrongSettings(t *testing.T) {
	a := securetest.Authority(t)
	one, other := securetest.Issue(t, a, "one"), securetest.Issue(t, a, "other")
	pass := secure.Secret{Value: password}
	for name, c := range map[string]struct {
		s     kafka.Security
		words []string
	}{
		"unknown mechanism":     {kafka.Security{Mechanism: "gssapi", User: user, Password: pass}, []string{"KAFKA_SASL_MECHANISM", `"gssapi"`, "plain, scram-sha-256, scram-sha-512"}},
		"no mechanism":          {kafka.Security{User: user, Password: pass}, []string{"KAFKA_SASL_MECHANISM is not", "scram-sha-512"}},
		"no user":               {kafka.Security{Mechanism: "plain", Password: pass}, []string{"KAFKA_SASL_USER"}},
		"no password":           {kafka.Security{Mechanism: "plain", User: user}, []string{"no password", "KAFKA_SASL_PASSWORD_FILE"}},
		"two passwords":         {kafka.Security{Mechanism: "plain", User: user, Password: secure.Secret{Value: password, File: "f"}}, []string{"KAFKA_SASL_PASSWORD_FILE are both set"}},
		"missing password file": {kafka.Security{Mechanism: "plain", User: user, Password: secure.Secret{File: "/no/such/file"}}, []string{"KAFKA_SASL_PASSWORD_FILE", "/no/such/file"}},
		"missing authority":     {kafka.Security{Files: secure.TLS{CA: "/no/such/file"}}, []string{"KAFKA_TLS_CA", "/no/such/file"}},
		"another's key":         {kafka.Security{Files: secure.TLS{Cert: one.Cert, Key: other.Key}}, []string{"KAFKA_TLS_CERT", "KAFKA_TLS_KEY", "belongs to it"}},
		"no key":                {kafka.Security{Files: secure.TLS{Cert: one.Cert}}, []string{"KAFKA_TLS_KEY is not"}},
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0") // never answers
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			refused(t, ln.Addr().String(), c.s, c.words...)
		})
	}
}

// A password that is changed in its file is used from the next connection on.
func TestPasswordIsReadAgain(t *testing.T) {
	name := securetest.File(t, "wrong-1")
	g := guard(t, nil, embedded.KafkaUser{Name: user, Password: password, Super: true})
	s := kafka.Security{Mechanism: "scram-sha-512", User: user, Password: secure.Secret{File: name}}
	refused(t, g.addr, s, "login of user ada")
	if err := os.WriteFile(name, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, g.addr, s)
}
