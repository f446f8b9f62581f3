package main

import (
	"crypto/tls"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"streamflow"
	"streamflow/infra/embedded"
)

// closedDir is where docker-compose.secure.yml finds what `secure init` made.
const closedDir = "infra/compose/secrets/closed/"

// initClosed runs `streamflow secure init` and opens what it made.
func initClosed(t *testing.T) *vault {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "closed")
	if code := run([]string{"secure", "init", dir, "--log-level=error"}); code != 0 {
		t.Fatalf("streamflow secure init: exit code %d", code)
	}
	v, err := openVault(dir, guardedStages(topicFlags{streamflow.TopicTicks}, streamflow.GroupBridge), nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The files that the containers are given are those that init makes, readable
// to their users, in a directory that nobody else enters.
func TestSecureInitMakesWhatIsMounted(t *testing.T) {
	v := initClosed(t)
	if info, err := os.Stat(v.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info.Mode(), err)
	}
	f := readComposeFiles(t, deployments["closed"]...)
	wanted := make(map[string]bool)
	for source, secret := range f.Secrets {
		name, ok := strings.CutPrefix(secret.File, closedDir)
		if !ok {
			continue
		}
		wanted[name] = true
		if want := map[string]string{"ca": "ca.pem"}[source]; name != source && name != want {
			t.Errorf("secret %s is the file %s", source, name)
		}
		info, err := os.Stat(filepath.Join(v.dir, name))
		if err != nil || info.Mode().Perm() != 0o444 || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if wanted["ca.key"] || len(wanted) < 40 {
		t.Errorf("%d files are mounted: %v", len(wanted), slices.Sorted(maps.Keys(wanted)))
	}
	for _, name := range []string{"ca.key", secureKubernetes, "admin.env"} {
		if info, err := os.Stat(filepath.Join(v.dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	// Again: all is kept, but for what is removed.
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(v.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	before := make(map[string]string)
	for _, name := range v.mounted() {
		before[name] = read(name)
	}
	if err := os.Remove(v.file("candles", "password")); err != nil {
		t.Fatal(err)
	}
	if code := run([]string{"secure", "init", v.dir}); code != 0 {
		t.Fatalf("a second time: exit code %d", code)
	}
	for name, text := range before {
		if changed := read(name) != text; changed != (name == "candles.password" || name == secureUsers) {
			t.Errorf("%s: changed is %v", name, changed)
		}
	}
	if err := os.Chmod(v.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if code := run([]string{"secure", "init", v.dir}); code != exitFailed {
		t.Errorf("in a directory that all may enter: exit code %d", code)
	}
}

// Every container of ours is the part that it runs: with its user, its secrets
// and nobody else's, and by TLS.
func TestSecureComposeGivesEachPartItsOwn(t *testing.T) {
	f := readComposeFiles(t, deployments["closed"]...)
	parts := []string{partAdmin}
	for _, s := range guardedStages(topicFlags{streamflow.TopicTicks}, streamflow.GroupBridge) {
		parts = append(parts, s.Name)
	}
	if _, ok := f.Services["kafka-ui"]; ok {
		t.Error("kafka-ui has no user")
	}
	for name, s := range f.Services {
		if !s.ours() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			part := name
			if name == "topics" {
				part = partAdmin
			}
			if !slices.Contains(parts, part) {
				t.Fatal("it has no user")
			}
			env := s.environment()
			for _, secret := range s.Secrets {
				of, _, _ := strings.Cut(secret.Source, ".")
				if slices.Contains(parts, of) && of != part {
					t.Errorf("it has a secret of %s", of)
				}
				if (secret.Source == "database_password" || secret.Source == secureUsers) && name != "topics" {
					t.Errorf("it has %s", secret.Source)
				}
			}
			if env["KAFKA_BOOTSTRAP_SERVERS"] != "" {
				if env["KAFKA_TLS_CA"] == "" || name != "topics" && (env["KAFKA_SASL_USER"] != part || env["KAFKA_SASL_MECHANISM"] != "scram-sha-512") {
					t.Errorf("Kafka: %v", env)
				}
			}
			if env["NATS_URL"] != "" && (env["NATS_TLS_CA"] == "" || env["NATS_NKEY"] == "" || env["NATS_INBOX_PREFIX"] != inbox(part)) {
				t.Errorf("NATS: %v", env)
			}
			if url := env["DATABASE_URL"]; url != "" && (!strings.HasPrefix(url, "postgres://"+part+"@") || !strings.Contains(url, "sslmode=verify-full&sslrootcert=/run/secrets/ca")) {
				t.Errorf("database: %s", url)
			}
		})
	}
}

// closedNATS lays the files out as in the container and reads the configuration
// as nats-server does.
func closedNATS(t *testing.T, v *vault, config string) *natsd.Options {
	t.Helper()
	root := t.TempDir()
	etc, secrets := filepath.Join(root, "etc", "nats"), filepath.Join(root, "run", "secrets")
	for _, dir := range []string{etc, secrets} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"nats.conf", "secure.conf", "secure-cluster.conf"} {
		text := strings.ReplaceAll(readRepository(t, "infra", "nats", name), "_file: /run/secrets/", "_file: "+secrets+"/")
		text = regexp.MustCompile(`store_dir: \S+`).ReplaceAllString(text, "store_dir: "+filepath.Join(root, "data"))
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, secret := range readComposeFiles(t, deployments["closed"]...).Services["nats"].Secrets {
		file := map[string]string{"ca": "ca.pem"}[secret.Source]
		if file == "" {
			file = secret.Source
		}
		text, err := os.ReadFile(filepath.Join(v.dir, file))
		if err == nil {
			err = os.WriteFile(filepath.Join(secrets, secret.Target), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	o, err := natsd.ProcessConfigFile(filepath.Join(etc, config))
	if err != nil {
		t.Fatalf("nats-server does not read infra/nats/%s: %v", config, err)
	}
	return o
}

// What nats-server reads is what the topology says, user by user: the same that
// the embedded one is told by `up --secure`.
func TestSecureNATSUsersFollowTheTopology(t *testing.T) {
	v := initClosed(t)
	c, err := v.nats(embedded.NATSConfig{})
	if err != nil {
		t.Fatal(err)
	}
	o := closedNATS(t, v, "secure-cluster.conf")
	if len(o.Nkeys) != len(c.Users) || len(o.Users) != 0 || o.NoAuthUser != "" {
		t.Fatalf("%d users with an nkey, %d others; want %d", len(o.Nkeys), len(o.Users), len(c.Users))
	}
	for _, u := range c.Users {
		i := slices.IndexFunc(o.Nkeys, func(n *natsd.NkeyUser) bool { return n.Nkey == u.NKey })
		if i < 0 {
			t.Errorf("%s is not let in", u.Name)
			continue
		}
		p := o.Nkeys[i].Permissions
		if u.All {
			if p != nil {
				t.Errorf("%s may not do all", u.Name)
			}
			continue
		}
		nothing := func(s *natsd.SubjectPermission) bool { return len(s.Allow) == 0 && slices.Equal(s.Deny, []string{">"}) }
		if !slices.Equal(p.Publish.Allow, u.Publish) || len(u.Publish) == 0 && !nothing(p.Publish) {
			t.Errorf("%s may publish %v, want %v", u.Name, p.Publish, u.Publish)
		}
		if !slices.Equal(p.Subscribe.Allow, u.Subscribe) || len(u.Subscribe) == 0 && !nothing(p.Subscribe) {
			t.Errorf("%s may subscribe to %v, want %v", u.Name, p.Subscribe, u.Subscribe)
		}
		if p.Response == nil || p.Response.MaxMsgs != natsd.DEFAULT_ALLOW_RESPONSE_MAX_MSGS || p.Response.Expires != natsd.DEFAULT_ALLOW_RESPONSE_EXPIRATION {
			t.Errorf("%s may answer %+v", u.Name, p.Response)
		}
	}
	if o.TLSConfig == nil || o.Cluster.TLSConfig == nil || o.Cluster.TLSConfig.ClientAuth != tls.RequireAndVerifyClientCert || len(o.Routes) != 3 {
		t.Error("the nodes do not know each other by certificates")
	}
}

func verifies(err error, words ...string) bool {
	return err != nil && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(err.Error(), w) })
}

// A real nats-server with that configuration lets its users in and nobody else.
func TestSecureNATSRefusesStrangers(t *testing.T) {
	v := initClosed(t)
	o := closedNATS(t, v, "secure.conf")
	o.Host, o.Port, o.HTTPPort, o.NoSigs, o.NoLog = "127.0.0.1", -1, 0, true, true
	ns, err := natsd.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(time.Minute) {
		t.Fatal("it does not start")
	}
	stranger := filepath.Join(t.TempDir(), "nkey")
	text, err := os.ReadFile(initClosed(t).file("bridge", "nkey"))
	if err == nil {
		err = os.WriteFile(stranger, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	connect := func(nkey string, opts ...nats.Option) error {
		if nkey != "" {
			opt, err := nats.NkeyOptionFromSeed(nkey)
			if err != nil {
				t.Fatal(err)
			}
			opts = append(opts, opt)
		}
		nc, err := nats.Connect(ns.ClientURL(), opts...)
		if err == nil {
			nc.Close()
		}
		return err
	}
	ca := nats.RootCAs(v.files.CA)
	for _, part := range []string{partAdmin, "bridge", "candles", "api", partTrim} {
		if err := connect(v.file(part, "nkey"), ca); err != nil {
			t.Errorf("%s: %v", part, err)
		}
	}
	if err := connect("", ca); !verifies(err, "Authorization Violation") {
		t.Errorf("nobody: %v", err)
	}
	if err := connect(stranger, ca); !verifies(err, "Authorization Violation") {
		t.Errorf("the bridge of another deployment: %v", err)
	}
	if err := connect(v.file("bridge", "nkey")); !verifies(err, "certificate") {
		t.Errorf("who does not know its authority: %v", err)
	}
}
