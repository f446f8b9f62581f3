package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"streamflow"
	"streamflow/infra/embedded"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
	"streamflow/infra/secure"
)

// partAdmin may do everything: it makes topics, streams and tables, and is what
// a person uses for functions, rules, keys, verify and rebuild.
const partAdmin = "admin"

// partTrim holds the streams to their limits.
const partTrim = jetstream.StageTrim

// vault is what closes a system that runs with --secure: a certificate for the
// servers, and for each part a password (Kafka, PostgreSQL) and an nkey (NATS).
// It is kept in a directory. A nil vault closes nothing.
type vault struct {
	dir   string
	files secure.TLS // of the servers
	parts []vaultPart
}

// vaultPart is a stage of the topology with its secrets.
type vaultPart struct {
	streamflow.Stage
	password, nkey string // nkey is the public one
}

// openVault opens the vault in dir, and makes what is missing in it. hosts are
// the names and addresses that the servers of this process are reached by, if it
// has any.
func openVault(dir string, stages []streamflow.Stage, hosts []string) (*vault, error) {
	authority, err := secure.OpenAuthority(dir)
	if err != nil {
		return nil, err
	}
	v := &vault{dir: dir, files: secure.TLS{CA: authority.CA()}}
	if len(hosts) > 0 {
		if v.files, err = authority.Issue("server", hosts...); err != nil {
			return nil, err
		}
	}
	for _, s := range append(stages, streamflow.Stage{Name: partAdmin}) {
		p := vaultPart{Stage: s}
		if p.password, err = secure.Keep(v.file(s.Name, "password"), secure.Password); err != nil {
			return nil, err
		}
		seed, err := secure.Keep(v.file(s.Name, "nkey"), jetstream.NewNKey)
		if err == nil {
			p.nkey, err = jetstream.PublicNKey(seed)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.file(s.Name, "nkey"), err)
		}
		v.parts = append(v.parts, p)
	}
	return v, nil
}

func (v *vault) file(part, kind string) string { return filepath.Join(v.dir, part+"."+kind) }

// guardedStages are the parts that have a user of their own: those of the
// topology that run here, the functions that it does not show, who trims, and
// who sends files.
func guardedStages(t topicFlags, group string) (stages []streamflow.Stage) {
	names := map[string]string{streamflow.TopicTicks: t.Topic, streamflow.TopicDeadLetters: t.deadLetters()}
	rename := func(places []streamflow.Place) []streamflow.Place {
		places = slices.Clone(places)
		for i, p := range places {
			if name, ok := names[p.Name]; ok && p.Kind == streamflow.KindTopic {
				places[i].Name = name
			}
		}
		return places
	}
	for _, s := range streamflow.Flow.Stages {
		if s.Room == "" || s.Room == "ui" {
			continue
		}
		if s.Name == "api" {
			s.Reads, s.Writes = slices.Concat(s.Reads, topicsOf("")), slices.Concat(s.Writes, topicsOf("bridge"))
		}
		if s.Reads, s.Writes = rename(s.Reads), rename(s.Writes); s.Group != "" {
			s.Group = group
		}
		stages = append(stages, s)
	}
	for _, e := range registry {
		if !slices.ContainsFunc(stages, func(s streamflow.Stage) bool { return s.Name == e.name }) {
			stages = append(stages, streamflow.Stage{
				Name: e.name, Room: "functions/" + e.name, Durable: streamflow.Durable(e.name, 0),
				Reads:  []streamflow.Place{{Kind: streamflow.KindStream, Name: e.reads}},
				Writes: []streamflow.Place{{Kind: streamflow.KindStream, Name: e.writes}},
			})
		}
	}
	return append(stages, streamflow.Stage{Name: partTrim}, streamflow.Stage{Name: kafka.StageIngest, Writes: rename(topicsOf("bridge"))})
}

// topicsOf are the topics that a stage reads, or all: the API finds any tick by
// its position, takes ticks in, and sends dead letters again to whence they came.
func topicsOf(stage string) (topics []streamflow.Place) {
	for _, a := range streamflow.Flow.Addresses {
		read := func(s streamflow.Stage) bool { return s.Name == stage && slices.Contains(s.Reads, a.Place) }
		if a.Kind == streamflow.KindTopic && (stage == "" || slices.ContainsFunc(streamflow.Flow.Stages, read)) {
			topics = append(topics, a.Place)
		}
	}
	return topics
}

// as returns the servers as a part sees them: with its name and its secrets.
func (v *vault) as(s servers, part string) servers {
	if v == nil {
		return s
	}
	password := v.file(part, "password")
	s.kafkaSecurity = kafkaSecurity{CA: v.files.CA, Mechanism: "scram-sha-512", User: part, PasswordFile: password}
	s.natsSecurity = natsSecurity{CA: v.files.CA, NKey: v.file(part, "nkey"), InboxPrefix: inbox(part)}
	if u, err := url.Parse(s.Database); err == nil { // it is ours
		u.User = url.User(part)
		query := u.Query()
		query.Set("sslrootcert", v.files.CA)
		u.RawQuery = query.Encode()
		s.Database = u.String()
	}
	s.passwordFlags = passwordFlags{password}
	return s
}

// inbox is where answers to a part come: nobody else may listen there.
func inbox(part string) string { return "_INBOX_" + part }

// kafka closes the embedded Kafka.
func (v *vault) kafka(c embedded.KafkaConfig) (_ embedded.KafkaConfig, err error) {
	if v == nil {
		return c, nil
	}
	for _, p := range v.parts {
		u := embedded.KafkaUser{Name: p.Name, Password: p.password, Super: p.Name == partAdmin}
		for _, r := range kafka.Rights(p.Stage) {
			u.Rights = append(u.Rights, embedded.KafkaRight(r))
		}
		c.Users = append(c.Users, u)
	}
	c.TLS, err = secure.TLS{Cert: v.files.Cert, Key: v.files.Key}.Server()
	return c, err
}

// nats closes the embedded NATS.
func (v *vault) nats(c embedded.NATSConfig) (_ embedded.NATSConfig, err error) {
	if v == nil {
		return c, nil
	}
	for _, p := range v.parts {
		u := embedded.NATSUser{Name: p.Name, NKey: p.nkey, All: p.Name == partAdmin}
		u.Publish, u.Subscribe = jetstream.Permissions(p.Stage, inbox(p.Name))
		c.Users = append(c.Users, u)
	}
	c.TLS, err = secure.TLS{Cert: v.files.Cert, Key: v.files.Key}.Server()
	return c, err
}

// postgres closes the embedded PostgreSQL.
func (v *vault) postgres(c embedded.PostgresConfig) (embedded.PostgresConfig, error) {
	if v == nil {
		return c, nil
	}
	root, err := secure.Keep(v.file("postgres", "password"), secure.Password)
	if err != nil {
		return c, fmt.Errorf("--secure: %w", err)
	}
	c.Security = &embedded.PostgresSecurity{CA: v.files.CA, Cert: v.files.Cert, Key: v.files.Key, Password: root}
	for _, p := range v.parts {
		switch u := (embedded.PostgresUser{Name: p.Name, Password: p.password}); {
		case p.Name == partAdmin:
			c.Security.Owner = u
		case len(postgres.Rights(p.Stage)) > 0:
			c.Security.Users = append(c.Security.Users, u)
		}
	}
	return c, nil
}

// grant gives the parts their rights on tables and makes the buckets that are
// otherwise made when they are first needed: nobody but admin may.
func (v *vault) grant(ctx context.Context, s servers, log *slog.Logger) error {
	if v == nil {
		return nil
	}
	key, err := makeKey(v.file(partAdmin, "api-key"))
	if err == nil {
		err = grant(ctx, v.as(s, partAdmin), v.stages(), key, log)
	}
	if err != nil {
		return fmt.Errorf("--secure: %w", err)
	}
	return nil
}

func (v *vault) stages() (stages []streamflow.Stage) {
	for _, p := range v.parts {
		stages = append(stages, p.Stage)
	}
	return stages
}

// grant gives stages their rights on tables, and makes what nobody else may; s
// are the servers as admin sees them, key is the first of the API.
func grant(ctx context.Context, s servers, stages []streamflow.Stage, key string, log *slog.Logger) error {
	db, err := s.postgresFlags.connect(ctx, partAdmin, s.Topic)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, stage := range stages {
		if rights := postgres.Rights(stage); len(rights) > 0 {
			if err := db.Grant(ctx, stage.Name, rights); err != nil {
				return fmt.Errorf("rights of %s: %w", stage.Name, err)
			}
		}
	}
	js, err := s.natsFlags.connect(partAdmin, log)
	if err != nil {
		return err
	}
	defer js.Close()
	if err := (letterMarks{js.Bucket(streamflow.BucketLetters)}).make(ctx); err != nil {
		return err
	}
	return storeKey(ctx, js, key)
}

// write writes for each part the file of variables that lets a process be it,
// as `set -a; . FILE` reads it.
func (v *vault) write(s servers) error {
	if v == nil {
		return nil
	}
	for _, p := range v.parts {
		if err := v.writeVariables(s, p.Name); err != nil {
			return fmt.Errorf("--secure: %w", err)
		}
	}
	return nil
}

func (v *vault) writeVariables(s servers, part string) error {
	s = v.as(s, part)
	var text strings.Builder
	text.WriteString("# Written by streamflow. Whoever reads this is " + part + ":  set -a; . THIS-FILE; streamflow ...\n")
	for _, kv := range [][2]string{
		{"KAFKA_BOOTSTRAP_SERVERS", s.Brokers}, {"KAFKA_TLS_CA", s.kafkaSecurity.CA}, {"KAFKA_SASL_MECHANISM", s.Mechanism},
		{"KAFKA_SASL_USER", s.kafkaSecurity.User}, {"KAFKA_SASL_PASSWORD_FILE", s.kafkaSecurity.PasswordFile},
		{"NATS_URL", s.NATS}, {"NATS_TLS_CA", s.natsSecurity.CA}, {"NATS_NKEY", s.NKey}, {"NATS_INBOX_PREFIX", s.InboxPrefix},
		{"DATABASE_URL", s.Database}, {"DATABASE_PASSWORD_FILE", s.passwordFlags.PasswordFile},
		{"TRIM_STREAMS", "false"}, // "trim" does
	} {
		fmt.Fprintf(&text, "%s='%s'\n", kv[0], strings.ReplaceAll(kv[1], "'", `'\''`))
	}
	return os.WriteFile(v.file(part, "env"), []byte(text.String()), 0o600)
}

// worker is a fleet that works as one user.
type worker struct {
	servers
	entries []*entry
}

// workers are the fleets that run all functions: one, or if there are users,
// one for each.
func (v *vault) workers(s servers) (list []worker) {
	if v == nil {
		return []worker{{s, registry}}
	}
	for _, e := range registry {
		list = append(list, worker{v.as(s, e.name), []*entry{e}})
	}
	return list
}

// newTrim holds the streams to their limits, as the one user that may.
func newTrim(s servers, log *slog.Logger) (part, error) {
	js, err := s.natsFlags.connect(partTrim, log)
	if err != nil {
		return part{}, err
	}
	return part{partTrim, func(ctx context.Context) error { js.KeepTrimmed(ctx); return nil }, js.Close}, nil
}

// hostsOf are the names and addresses by which servers at these addresses are
// reached from this machine, and by its name.
func hostsOf(addrs ...string) []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	for _, addr := range addrs {
		host, _, err := net.SplitHostPort(addr)
		if ip := net.ParseIP(host); err == nil && host != "" && (ip == nil || !ip.IsUnspecified()) && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
