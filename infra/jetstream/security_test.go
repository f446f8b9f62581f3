package jetstream_test

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
	"streamflow/infra/secure"
	"streamflow/infra/secure/securetest"
)

const user, password = "ada", "correct-horse"

// guarded is an embedded NATS that speaks TLS or wants to know who comes.
type guarded struct {
	url   string
	certs *secure.Authority
}

// guard starts one; files are those of its own side of TLS.
func guard(t *testing.T, files securetest.Side, users ...embedded.NATSUser) guarded {
	t.Helper()
	g := guarded{certs: securetest.Authority(t)}
	c := embedded.NATSConfig{Addr: "127.0.0.1:0", Dir: t.TempDir(), Users: users, Logger: slog.New(slog.DiscardHandler)}
	if files != nil {
		var err error
		if c.TLS, err = files(g.certs).Server(); err != nil {
			t.Fatal(err)
		}
	}
	n, err := embedded.StartNATS(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	g.url = n.URL()
	return g
}

// nkey makes a user's key and the file of its seed.
func nkey(t *testing.T) (public, seed string) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err = pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return public, securetest.File(t, text)
}

// roundTrip makes the streams, commits ticks and reads how far they go.
func roundTrip(t *testing.T, url string, s jetstream.Security) {
	t.Helper()
	c, err := jetstream.Connect(url, t.Name(), slog.New(slog.DiscardHandler), s)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Ensure(t.Context(), jetstream.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	cur, err := c.Ticks().Claim(t.Context(), partition)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, c.Ticks(), cur, 0, 9)
	if cur, err = c.Ticks().Cursor(t.Context(), partition); err != nil || cur.Next != 10 {
		t.Errorf("the cursor stands at %d, %v", cur.Next, err)
	}
}

// refused fails unless Connect does, and says each of the words and not the
// password.
func refused(t *testing.T, url string, s jetstream.Security, words ...string) {
	t.Helper()
	c, err := jetstream.Connect(url, t.Name(), slog.New(slog.DiscardHandler), s)
	if err == nil {
		c.Close()
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
}

var ada = embedded.NATSUser{Name: user, Password: password, All: true}

func TestRightCredentials(t *testing.T) {
	t.Run("user and password", func(t *testing.T) {
		t.Parallel()
		roundTrip(t, guard(t, nil, ada).url, jetstream.Security{User: user, Password: secure.Secret{Value: password}})
	})
	t.Run("password in the URL", func(t *testing.T) {
		t.Parallel()
		roundTrip(t, strings.Replace(guard(t, nil, ada).url, "://", "://"+user+":"+password+"@", 1), jetstream.Security{})
	})
	t.Run("password in a file, on TLS", func(t *testing.T) {
		t.Parallel()
		g := guard(t, securetest.Open(t), ada)
		roundTrip(t, g.url, jetstream.Security{Files: secure.TLS{CA: g.certs.CA()}, User: user, Password: secure.Secret{File: securetest.File(t, []byte(password+"\n"))}})
	})
	t.Run("mutual TLS", func(t *testing.T) {
		t.Parallel()
		g := guard(t, securetest.Mutual(t))
		roundTrip(t, g.url, jetstream.Security{Files: securetest.Issue(t, g.certs, "client")})
	})
	t.Run("nkey", func(t *testing.T) {
		t.Parallel()
		public, seed := nkey(t)
		roundTrip(t, guard(t, nil, embedded.NATSUser{NKey: public, All: true}).url, jetstream.Security{NKey: seed})
	})
	t.Run("an inbox of one's own", func(t *testing.T) {
		t.Parallel()
		private := embedded.NATSUser{Name: user, Password: password, Publish: []string{">"}, Subscribe: []string{"_INBOX_ada.>"}}
		roundTrip(t, guard(t, nil, private).url, jetstream.Security{User: user, Password: secure.Secret{Value: password}, InboxPrefix: "_INBOX_ada"})
	})
	t.Run("credentials", func(t *testing.T) {
		t.Parallel()
		o := operate(t)
		roundTrip(t, o.url, jetstream.Security{Creds: o.creds(t, time.Time{})})
	})
}

// operator is a nats-server whose users are known by JWT alone.
type operator struct {
	url     string
	account nkeys.KeyPair
}

func operate(t *testing.T) operator {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	public := func(pair nkeys.KeyPair) string {
		key, err := pair.PublicKey()
		must(err)
		return key
	}
	root, err := nkeys.CreateOperator()
	must(err)
	account, err := nkeys.CreateAccount()
	must(err)
	system, err := nkeys.CreateAccount()
	must(err)
	operatorClaims := jwt.NewOperatorClaims(public(root))
	operatorClaims.SystemAccount = public(system)
	accountClaims := jwt.NewAccountClaims(public(account))
	accountClaims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
	resolver := &server.MemAccResolver{}
	for key, claims := range map[string]*jwt.AccountClaims{public(account): accountClaims, public(system): jwt.NewAccountClaims(public(system))} {
		token, err := claims.Encode(root)
		must(err)
		must(resolver.Store(key, token))
	}
	ns, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
		TrustedOperators: []*jwt.OperatorClaims{operatorClaims}, SystemAccount: public(system), AccountResolver: resolver,
	})
	must(err)
	go ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(time.Minute) {
		t.Fatal("nats-server does not start")
	}
	return operator{ns.ClientURL(), account}
}

// creds makes a credentials file of a user, good until then.
func (o operator) creds(t *testing.T, until time.Time) string {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.NewUserClaims(public)
	if !until.IsZero() {
		claims.Expires = until.Unix()
	}
	token, err := claims.Encode(o.account)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		t.Fatal(err)
	}
	return securetest.File(t, text)
}

// TestWrongCredentials: what, where, what to do.
func TestWrongCredentials(t *testing.T) {
	public, seed := nkey(t)
	_, stranger := nkey(t)
	clear, login := guard(t, nil), guard(t, nil, ada, embedded.NATSUser{NKey: public, All: true})
	encrypted, strict, jwts := guard(t, securetest.Open(t)), guard(t, securetest.Mutual(t)), guarded{url: operate(t).url}
	pass := func(value string) secure.Secret { return secure.Secret{Value: value} }
	for name, c := range map[string]struct {
		url   string
		s     jetstream.Security
		words []string
	}{
		"wrong password":         {login.url, jetstream.Security{User: user, Password: pass("wrong-1")}, []string{"does not let us in", "NATS_USER ada"}},
		"wrong password in URL":  {strings.Replace(login.url, "://", "://ada:wrong-1@", 1), jetstream.Security{}, []string{"does not let us in", "the user in NATS_URL", "ada:xxxxx@"}},
		"unknown user":           {login.url, jetstream.Security{User: "eve", Password: pass("wrong-1")}, []string{"does not let us in", "NATS_USER eve"}},
		"unknown nkey":           {login.url, jetstream.Security{NKey: stranger}, []string{"does not let us in", "NATS_NKEY " + stranger}},
		"nobody":                 {login.url, jetstream.Security{}, []string{"only whom it knows", "NATS_CREDS", "NATS_NKEY", "NATS_USER"}},
		"TLS to the clear":       {clear.url, jetstream.Security{Files: secure.TLS{CA: encrypted.certs.CA()}}, []string{"does not speak TLS", "NATS_TLS_CA"}},
		"tls:// to the clear":    {strings.Replace(clear.url, "nats://", "tls://", 1), jetstream.Security{}, []string{"does not speak TLS", "nats://"}},
		"in the clear to TLS":    {strings.Replace(encrypted.url, "tls://", "nats://", 1), jetstream.Security{}, []string{"authority", "NATS_TLS_CA"}},
		"another's authority":    {encrypted.url, jetstream.Security{Files: secure.TLS{CA: strict.certs.CA()}}, []string{"authority", "NATS_TLS_CA"}},
		"no client certificate":  {strict.url, jetstream.Security{Files: secure.TLS{CA: strict.certs.CA()}}, []string{"certificate", "NATS_TLS_CERT"}},
		"strangers' credentials": {jwts.url, jetstream.Security{Creds: operator{account: account(t)}.creds(t, time.Time{})}, []string{"does not let us in", "NATS_CREDS"}},
		"no credentials":         {jwts.url, jetstream.Security{}, []string{"only whom it knows", "NATS_CREDS"}},
		"an nkey, not a JWT":     {jwts.url, jetstream.Security{NKey: seed}, []string{"does not let us in", "NATS_NKEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, c.url, c.s, append(c.words, "NATS at ")...)
		})
	}
}

func account(t *testing.T) nkeys.KeyPair {
	t.Helper()
	pair, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestExpiredCredentials(t *testing.T) {
	o := operate(t)
	refused(t, o.url, jetstream.Security{Creds: o.creds(t, time.Now().Add(-time.Hour))}, "does not let us in", "NATS_CREDS")
}

// What is wrong with the settings themselves shows before anything is asked.
func TestWrongSettings(t *testing.T) {
	a := securetest.Authority(t)
	one, other := securetest.Issue(t, a, "one"), securetest.Issue(t, a, "other")
	_, seed := nkey(t)
	junk, none := securetest.File(t, []byte("hello")), "/no/such/file"
	for name, c := range map[string]struct {
		s     jetstream.Security
		words []string
	}{
		"no password":           {jetstream.Security{User: user}, []string{"NATS_USER is ada", "NATS_PASSWORD_FILE"}},
		"no user":               {jetstream.Security{Password: secure.Secret{Value: password}}, []string{"NATS_USER is not"}},
		"two passwords":         {jetstream.Security{User: user, Password: secure.Secret{Value: password, File: "f"}}, []string{"NATS_PASSWORD_FILE are both set"}},
		"missing password file": {jetstream.Security{User: user, Password: secure.Secret{File: none}}, []string{"NATS_PASSWORD_FILE", none}},
		"two ways":              {jetstream.Security{Creds: junk, NKey: seed}, []string{"NATS_CREDS and NATS_NKEY", "one way"}},
		"missing credentials":   {jetstream.Security{Creds: none}, []string{"NATS_CREDS", none, "no such file"}},
		"no credentials":        {jetstream.Security{Creds: junk}, []string{"NATS_CREDS", junk, "nsc"}},
		"missing nkey":          {jetstream.Security{NKey: none}, []string{"NATS_NKEY", none, "no such file"}},
		"no nkey":               {jetstream.Security{NKey: junk}, []string{"NATS_NKEY", junk, "SU"}},
		"missing authority":     {jetstream.Security{Files: secure.TLS{CA: none}}, []string{"NATS_TLS_CA", none}},
		"another's key":         {jetstream.Security{Files: secure.TLS{Cert: one.Cert, Key: other.Key}}, []string{"NATS_TLS_CERT", "NATS_TLS_KEY", "belongs to it"}},
		"inbox":                 {jetstream.Security{InboxPrefix: "_INBOX.>"}, []string{"NATS_INBOX_PREFIX", "wildcards"}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, "nats://127.0.0.1:1", c.s, append(c.words, "nats://127.0.0.1:1")...) })
	}
	refused(t, "nats://ada:wrong-1@127.0.0.1:1", jetstream.Security{NKey: seed}, "NATS_NKEY and NATS_URL", "ada:xxxxx@")
}

func TestRedact(t *testing.T) {
	for url, want := range map[string]string{
		"nats://h:4222":                    "nats://h:4222",
		"nats://u:s3cret@h:4222":           "nats://u:xxxxx@h:4222",
		"nats://s3cret@h:4222":             "nats://xxxxx@h:4222",
		"nats://a:1,tls://u:s3cret@b:2":    "nats://a:1,tls://u:xxxxx@b:2",
		"nats://u:s3cret%zz@h:4222":        "nats://h:4222",
		"h:4222":                           "h:4222",
		"nats://u:s3c@ret@h:4222, tls://b": "nats://u:xxxxx@h:4222, tls://b",
	} {
		got := jetstream.Redact(url)
		if got != want && strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

// TestSecretsChangeWhileConnected: a client that is refused goes on asking, and
// comes in when its file holds what the server takes.
func TestSecretsChangeWhileConnected(t *testing.T) {
	dir, name := t.TempDir(), securetest.File(t, []byte("first"))
	refusals := make(chan struct{}, 1024)
	log := slog.New(slog.NewTextHandler(writer(func(line string) {
		if strings.Contains(line, "authentication error") {
			refusals <- struct{}{}
		}
	}), nil))
	start := func(addr, password string) *embedded.NATS {
		t.Helper()
		n, err := embedded.StartNATS(embedded.NATSConfig{Addr: addr, Dir: dir, Logger: log, Users: []embedded.NATSUser{{Name: user, Password: password, All: true}}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = n.Close() })
		return n
	}
	n := start("127.0.0.1:0", "first")
	c, err := jetstream.Connect(n.URL(), t.Name(), slog.New(slog.DiscardHandler), jetstream.Security{User: user, Password: secure.Secret{File: name}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	start(strings.TrimPrefix(n.URL(), "nats://"), "second")
	deadline := time.After(2 * time.Minute)
	for range 4 { // an ordinary client gives up at the second
		select {
		case <-refusals:
		case <-deadline:
			t.Fatal("the client does not ask again")
		}
	}
	if err := os.WriteFile(name, []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	for !c.Connected() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatal("the client does not come in")
		}
	}
	if _, err := c.Ping(time.Minute); err != nil {
		t.Error(err)
	}
}

type writer func(string)

func (w writer) Write(b []byte) (int, error) { w(string(b)); return len(b), nil }
