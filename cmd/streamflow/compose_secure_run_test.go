//go:build ops && unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"

	"streamflow"
	"streamflow/infra/kafka"
)

// closedRehearsal is docker-compose.yml with docker-compose.secure.yml without
// Docker: Apache Kafka, nats-server and PostgreSQL themselves, with the settings
// and secrets that the files give them, and every part of ours as a process.
type closedRehearsal struct {
	*rehearsal
	v                            *vault
	kafka, admin, nats, database string // host:port
}

// TestSecureComposeRuns: the closed system comes up with nothing but the files
// that `secure init` made, carries ticks, and refuses strangers at each server.
func TestSecureComposeRuns(t *testing.T) {
	c := &closedRehearsal{newRehearsal(t, readComposeFiles(t, deployments["closed"]...)), initClosed(t),
		freeAddr(t), freeAddr(t), freeAddr(t), freeAddr(t)}
	if err := c.v.put("database_password", "of the superuser\n"); err != nil {
		t.Fatal(err)
	}
	c.serve = func(name string) {
		map[string]func(){"kafka": c.startKafka, "nats": c.startNATS, "timescaledb": c.startPostgres}[name]()
	}
	at := strings.NewReplacer("kafka:9092", c.kafka, "kafka:9094", c.admin, "nats:4222", c.nats, "timescaledb:5432", c.database)
	c.address = func(_, value string) string { return at.Replace(value) }
	c.secret = func(source string) string {
		if name, ok := strings.CutPrefix(c.file.Secrets[source].File, closedDir); ok {
			return filepath.Join(c.v.dir, name)
		}
		return filepath.Join(c.v.dir, "database_password") // mask_key too
	}
	began := time.Now()
	c.startAll()
	t.Logf("all %d parts are healthy after %v", len(c.running), time.Since(began).Round(time.Second))
	c.journey(t)
	r := &opsRig{t: t, v: c.v, s: c.servers()}
	other, err := openVault(t.TempDir(), guardedStages(topicFlags{streamflow.TopicTicks}, streamflow.GroupBridge), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.strangersAtServers(t, other)
	c.rights(t)
	// To apply again changes nothing.
	out, err := c.command(c.file.Services["topics"].args(t), c.environment("topics")).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("allowed")) || !bytes.Contains(out, []byte("have their users and rights")) {
		t.Errorf("apply, again: %v\n%s", err, out)
	}
}

func (c *closedRehearsal) servers() servers {
	return servers{kafkaFlags: kafkaFlags{Brokers: c.kafka, topicFlags: topicFlags{streamflow.TopicTicks}}, natsFlags: natsFlags{NATS: "tls://" + c.nats},
		postgresFlags: postgresFlags{Database: "postgres://" + c.database + "/streamflow?sslmode=verify-full"}}
}

// journey: ticks come through all three servers, and who has admin's variables
// can prove it.
func (c *closedRehearsal) journey(t *testing.T) {
	if status := c.ask(t, "/api/stocks", false); status != http.StatusUnauthorized {
		t.Errorf("without a key the API answers %d", status)
	}
	c.await("api", func() error {
		for _, path := range []string{"/api/stocks/AAPL", "/api/stocks/AAPL/candles?interval=1m&limit=1"} {
			if status := c.ask(t, path, true); status != http.StatusOK {
				return fmt.Errorf("%s: %d", path, status)
			}
		}
		return nil
	})
	if err := c.v.writeVariables(c.servers(), partAdmin); err != nil {
		t.Fatal(err)
	}
	(&opsRig{t: t, v: c.v}).setenv(t, partAdmin)
	if code := run([]string{"verify", "--wait", "5m", "--log-level=error"}); code != 0 {
		t.Errorf("streamflow verify: exit code %d", code)
	}
	if code := run([]string{"functions", "--log-level=error"}); code != 0 {
		t.Errorf("streamflow functions: exit code %d", code)
	}
	for name := range c.running {
		log, err := os.ReadFile(filepath.Join(c.dir, name+".log"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(strings.ToLower(string(log))) {
			if name != "kafka" && name != "timescaledb" && (strings.Contains(line, "violation") || strings.Contains(line, "denied") || strings.Contains(line, "authoriz")) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

// ask asks the API by HTTPS, with the first key or without, for its status.
func (c *closedRehearsal) ask(t *testing.T, path string, withKey bool) int {
	t.Helper()
	key, err := os.ReadFile(c.v.file(partAdmin, "api-key"))
	if err != nil {
		t.Fatal(err)
	}
	trust, err := c.v.files.Client()
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+c.http["api"]+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if withKey {
		request.Header.Set("X-Api-Key", string(key))
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// strangersAtServers is strangers without the API.
func (r *opsRig) strangersAtServers(t *testing.T, other *vault) {
	log := slog.New(slog.DiscardHandler)
	elsewhere := other.as(r.s, "bridge")
	other.files.CA = r.v.files.CA
	wrong, nobody := other.as(r.s, "bridge"), r.v.as(r.s, "bridge")
	nobody.kafkaSecurity, nobody.natsSecurity = kafkaSecurity{CA: r.v.files.CA}, natsSecurity{CA: r.v.files.CA}
	nobody.passwordFlags = passwordFlags{}
	for name, c := range map[string]struct {
		as    servers
		words [3]string
	}{
		"nobody":              {nobody, [3]string{"KAFKA_SASL_MECHANISM", "NATS_NKEY", "password"}},
		"wrong credentials":   {wrong, [3]string{"login of user bridge", "NATS_NKEY", "password"}},
		"another's authority": {elsewhere, [3]string{"KAFKA_TLS_CA", "NATS_TLS_CA", "certificate"}},
	} {
		_, kafkaErr := kafka.Connect(t.Context(), c.as.config("stranger", log))
		_, natsErr := c.as.natsFlags.connect("stranger", log)
		// The bridge has no rights on tables, and so no role.
		_, databaseErr := c.as.postgresFlags.connect(t.Context(), "stranger", streamflow.TopicTicks)
		for i, err := range []error{kafkaErr, natsErr, databaseErr} {
			if err == nil || !strings.Contains(err.Error(), c.words[i]) {
				t.Errorf("%s, server %d: %v, want %q", name, i, err, c.words[i])
			}
		}
	}
}

// rights: admin's door of Kafka takes no password and no other certificate's
// word, and a part does not do what is not its own.
func (c *closedRehearsal) rights(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	topic := []kafka.Topic{{Name: "theirs", Partitions: 1}}
	for name, security := range map[string]kafkaSecurity{
		"the bridge":               c.v.as(c.servers(), "bridge").kafkaSecurity,
		"the certificate of NATS":  {CA: c.v.files.CA, Cert: c.v.file("nats", "pem"), Key: c.v.file("nats", "key")},
		"admin without one at all": {CA: c.v.files.CA},
	} {
		flags := c.servers().kafkaFlags
		flags.kafkaSecurity = security
		if security.User == "" {
			flags.Brokers = c.admin
		}
		client, err := kafka.Connect(t.Context(), flags.config("stranger", log))
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			_, err = kafka.EnsureTopics(ctx, client, topic)
			cancel()
			client.Close()
		}
		if err == nil {
			t.Errorf("%s makes a topic", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

func (c *closedRehearsal) startNATS() {
	o := closedNATS(c.t, c.v, "secure.conf")
	host, port, err := net.SplitHostPort(c.nats)
	if err != nil {
		c.t.Fatal(err)
	}
	o.Host, o.HTTPPort, o.NoSigs, o.NoLog = host, 0, true, true
	if o.Port, err = strconv.Atoi(port); err != nil {
		c.t.Fatal(err)
	}
	ns, err := natsd.NewServer(o)
	if err != nil {
		c.t.Fatal(err)
	}
	go ns.Start()
	c.t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(time.Minute) {
		c.t.Fatal("NATS does not start")
	}
}

// startKafka starts Apache Kafka with the variables of its service, which the
// image makes properties of: KAFKA_A_B is a.b, ___ is -.
func (c *closedRehearsal) startKafka() {
	t, s := c.t, c.file.Services["kafka"]
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	pom := regexp.MustCompile(`<kafka.version>(.*)</kafka.version>`).FindStringSubmatch(readRepository(t, "infra", "kafka", "apache", "pom.xml"))
	jars := filepath.Join(cache, "streamflow", "kafka-"+pom[1])
	if _, err := os.Stat(jars); err != nil { // it fetches them
		if out, err := exec.Command(repository("infra", "kafka", "apache", "run"), "true").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	// There is one address here, and the container's names are of no use.
	listen := map[string]string{"INSIDE": c.kafka, "ADMIN": c.admin, "CONTROLLER": freeAddr(t), "HOST": freeAddr(t)}
	place := func(value string) string {
		for name, addr := range listen {
			value = regexp.MustCompile(`\b`+name+`://[^,]*`).ReplaceAllString(value, name+"://"+addr)
		}
		return strings.ReplaceAll(value, "1@kafka:9093", "1@"+listen["CONTROLLER"])
	}
	var properties strings.Builder
	for name, value := range c.environment("kafka") {
		key, ok := strings.CutPrefix(name, "KAFKA_")
		if !ok || name == "KAFKA_HEAP_OPTS" {
			continue
		}
		key = strings.NewReplacer("___", "-", "__", "_", "_", ".").Replace(strings.ToLower(key))
		value = place(strings.ReplaceAll(value, "$$", "$"))
		if key == "log.dirs" {
			value = filepath.Join(c.dir, "kafka")
		}
		fmt.Fprintf(&properties, "%s=%s\n", key, value)
	}
	file := filepath.Join(c.dir, "server.properties")
	if err := os.WriteFile(file, []byte(properties.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	java := func(args ...string) *exec.Cmd {
		log4j, err := filepath.Abs(repository("infra", "kafka", "apache", "log4j2.properties"))
		if err != nil {
			t.Fatal(err)
		}
		return exec.Command("java", append([]string{"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.configurationFile=" + log4j, "-cp", jars + "/*"}, args...)...)
	}
	if out, err := java("kafka.tools.StorageTool", "format", "-t", s.environment()["CLUSTER_ID"], "-c", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.run("kafka", java("kafka.Kafka", file))
	c.await("kafka", func() error { return c.checkKafka(s) })
}

// checkKafka comes in as its health check does: by the door, the file and the
// secrets that it names. The tool itself is not among the jars.
func (c *closedRehearsal) checkKafka(s composeService) error {
	check, text := s.Healthcheck.Test[1], readRepository(c.t, "infra", "compose", "closed", "kafka-client.properties")
	if !strings.Contains(check, "127.0.0.1:9094 --command-config /etc/streamflow/kafka-client.properties") || !strings.Contains(text, "\nsecurity.protocol=SSL\n") {
		c.t.Fatal(check, text)
	}
	flags, files := c.servers().kafkaFlags, make(map[string]string)
	for _, secret := range s.Secrets {
		for _, store := range []string{"keystore", "truststore"} {
			if strings.Contains(text, "\nssl."+store+".type=PEM\nssl."+store+".location=/run/secrets/"+secret.Target+"\n") {
				files[store] = c.secret(secret.Source)
			}
		}
	}
	flags.Brokers, flags.kafkaSecurity = c.admin, kafkaSecurity{CA: files["truststore"], Cert: files["keystore"], Key: files["keystore"]}
	client, err := kafka.Connect(c.t.Context(), flags.config("check", slog.New(slog.DiscardHandler)))
	if err == nil {
		client.Close()
	}
	return err
}

// startPostgres makes a database as the image does and starts it with the
// arguments of the file.
func (c *closedRehearsal) startPostgres() {
	t, s := c.t, c.file.Services["timescaledb"]
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(bins) == 0 {
		t.Fatal("PostgreSQL's binaries are not in /usr/lib/postgresql: install it (Debian: apt-get install postgresql)")
	}
	bin, dir := bins[len(bins)-1], filepath.Join(c.dir, "postgres")
	var as *syscall.Credential
	if os.Getuid() == 0 { // PostgreSQL refuses root
		nobody, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	give := func(name string, text []byte, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		err := os.WriteFile(file, text, mode)
		if err == nil && as != nil {
			err = os.Chown(file, int(as.Uid), int(as.Gid))
		}
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(c.dir), 0o755); err != nil { // that user has to get there
		t.Fatal(err)
	}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
		cmd.Env = []string{"LC_ALL=C"}
		return cmd
	}
	password, err := os.ReadFile(c.secret("database_password"))
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if out, err := command("initdb", "-D", data, "-E", "UTF8", "-U", "streamflow", "--pwfile", give("password", password, 0o600)).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// What its entrypoint does with the key, and where everything is here.
	if entry := readRepository(t, "docker-compose.secure.yml"); !strings.Contains(entry, "install -m 600 /run/secrets/key /var/run/postgresql/server.key") {
		t.Fatal("the entrypoint does something else")
	}
	files := map[string]string{"/etc/streamflow/pg_hba.conf": give("hba.conf", []byte(readRepository(t, "infra", "compose", "closed", "pg_hba.conf")), 0o600)}
	for _, secret := range s.Secrets {
		text, err := os.ReadFile(c.secret(secret.Source))
		if err != nil {
			t.Fatal(err)
		}
		files[map[string]string{"key": "/var/run/postgresql/server.key"}[secret.Target]] = give(secret.Source, text, 0o600)
		files["/run/secrets/"+secret.Target] = filepath.Join(dir, secret.Source)
	}
	delete(files, "")
	host, port, err := net.SplitHostPort(c.database)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-D", data, "-p", port, "-h", host, "-k", dir}
	for _, arg := range s.args(t)[1:] {
		for from, to := range files {
			if strings.HasSuffix(arg, "="+from) {
				arg = strings.TrimSuffix(arg, from) + to
			}
		}
		args = append(args, arg)
	}
	c.run("timescaledb", command("postgres", args...))
	c.await("timescaledb", func() error {
		out, err := command("psql", "-h", dir, "-p", port, "-U", "streamflow", "-d", "postgres", "-c", "CREATE DATABASE streamflow").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if !slices.ContainsFunc(args, func(a string) bool { return a == "-cssl=on" }) {
		t.Error("it speaks no TLS")
	}
}
