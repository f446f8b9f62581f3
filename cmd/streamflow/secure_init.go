package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"streamflow/infra/embedded"
	"streamflow/infra/secure"
)

type secureCmd struct {
	Init  secureInitCmd  `cmd:"" help:"Make certificates, passwords and nkeys of a closed deployment in a directory; what is there is kept."`
	Apply secureApplyCmd `cmd:"" help:"Give a closed deployment its users and rights, and its topics, streams and tables: \"topics\" of such a one."`
}

type secureInitCmd struct {
	Dir   string   `arg:"" help:"Directory, which nobody else may enter."`
	Hosts []string `help:"More names and addresses that the servers and the API are reached by." placeholder:"HOST"`
	Group string   `help:"Kafka consumer group of the bridges." default:"${group}" env:"CONSUMER_GROUP"`
	topicFlags
}

// Help is shown by --help.
func (secureInitCmd) Help() string {
	return `Made are an authority and, of it, a certificate for each server, the API and admin; for each part a password (Kafka and PostgreSQL) and an nkey (NATS); NATS' file of users with their rights; all of it again as secrets of Kubernetes; the first key of the API; and admin.env, by which a process on this machine is admin. docker-compose.secure.yml and infra/k8s/overlays/secure take it from there (docs/security.md).

Run it again to renew certificates, which hold for a year, and after each upgrade. To change a secret, remove its file first. ca.key is for this command only: keep it elsewhere if you can.`
}

// What init makes beside the files of a vault.
const (
	secureUsers      = "users"           // the parts' passwords, for "secure apply"
	secureNATSUsers  = "nats.users"      // for nats-server
	secureKeystore   = "kafka.keystore"  // key and certificate in one, as Kafka wants them
	secureKubernetes = "kubernetes.yaml" // all of it as Secrets
)

type closedServer struct {
	name  string
	hosts []string
}

// closedServers are what has a certificate of its own, with the names that it
// has in docker-compose.yml and infra/k8s. admin's is for Kafka, which it comes
// to before there are passwords.
var closedServers = []closedServer{
	{"kafka", []string{"kafka", "kafka-1", "kafka-2", "kafka-3"}},
	{"nats", []string{"nats", "nats-1", "nats-2", "nats-3"}},
	{"timescaledb", []string{"timescaledb"}},
	{"api", []string{"api"}},
	{partAdmin, nil},
}

// Run makes the files.
func (c *secureInitCmd) Run() error {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	v, err := openVault(dir, guardedStages(c.topicFlags, c.Group), nil)
	if err == nil {
		err = v.deploy(append(hostsOf(), c.Hosts...))
	}
	if err != nil {
		return fmt.Errorf("secure init: %w", err)
	}
	fmt.Printf("%s holds the certificates and secrets of %d parts and %d servers.\nWhoever runs streamflow on this machine is admin:  set -a; . %s; set +a\n",
		dir, len(v.parts), len(closedServers)-1, v.file(partAdmin, "env"))
	return nil
}

// deploy makes what servers elsewhere need of the vault.
func (v *vault) deploy(hosts []string) error {
	if info, err := os.Stat(v.dir); err != nil || info.Mode().Perm()&0o077 != 0 {
		return errors.Join(err, fmt.Errorf("%s can be entered by others, and its files must be readable to the users of containers: chmod 700 it", v.dir))
	}
	authority, err := secure.OpenAuthority(v.dir)
	if err != nil {
		return err
	}
	for _, s := range closedServers {
		if _, err := authority.Issue(s.name, slices.Concat(s.hosts, hosts)...); err != nil {
			return err
		}
	}
	if _, err := makeKey(v.file(partAdmin, "api-key")); err != nil {
		return err
	}
	users, err := v.nats(embedded.NATSConfig{})
	if err != nil {
		return err
	}
	key, keyErr := os.ReadFile(v.file("kafka", "key"))
	cert, certErr := os.ReadFile(v.file("kafka", "pem"))
	if err := errors.Join(keyErr, certErr); err != nil {
		return err
	}
	var passwords strings.Builder
	for _, p := range v.parts {
		fmt.Fprintf(&passwords, "%s %s\n", p.Name, p.password)
	}
	for name, text := range map[string]string{
		secureUsers: passwords.String(), secureNATSUsers: natsUsers(users.Users), secureKeystore: string(key) + string(cert),
	} {
		if err := v.put(name, text); err != nil {
			return err
		}
	}
	// The ports that docker-compose.yml publishes.
	here := servers{kafkaFlags: kafkaFlags{Brokers: "localhost:9092"}, natsFlags: natsFlags{NATS: "tls://localhost:4222"},
		postgresFlags: postgresFlags{Database: "postgres://localhost:5433/streamflow?sslmode=verify-full"}}
	if err := v.writeVariables(here, partAdmin); err != nil {
		return err
	}
	if err := v.publish(); err != nil {
		return err
	}
	secrets, err := v.kubernetes()
	if err != nil {
		return err
	}
	return v.put(secureKubernetes, secrets)
}

// put replaces a file, for its owner's eyes.
func (v *vault) put(name, text string) error {
	file := filepath.Join(v.dir, name)
	if err := os.WriteFile(file+".part", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}

// publish makes what is mounted into containers readable to their users. The
// directory keeps all others on this machine out.
func (v *vault) publish() error {
	for _, file := range v.mounted() {
		if err := os.Chmod(filepath.Join(v.dir, file), 0o444); err != nil {
			return err
		}
	}
	return nil
}

// mounted are the files that containers see: all but the key of the authority
// and what is for people.
func (v *vault) mounted() (files []string) {
	files = []string{"ca.pem", secureUsers, secureNATSUsers, secureKeystore, partAdmin + ".api-key"}
	for _, s := range closedServers {
		files = append(files, s.name+".pem", s.name+".key")
	}
	for _, p := range v.parts {
		files = append(files, p.Name+".password", p.Name+".nkey")
	}
	return files
}

// natsUsers is nats-server's configuration of who is let in, and to what. It
// holds no secret: of an nkey the server knows the public half.
func natsUsers(users []embedded.NATSUser) string {
	var b strings.Builder
	b.WriteString("# Made by streamflow secure init from the topology (docs/flow.md).\nauthorization {\n  users: [\n")
	list := func(subjects []string) string {
		if len(subjects) == 0 {
			return `{deny: ">"}`
		}
		text, err := json.Marshal(subjects)
		if err != nil {
			panic(err) // of strings it cannot fail
		}
		return "{allow: " + strings.NewReplacer(`\u003e`, ">").Replace(string(text)) + "}"
	}
	for _, u := range users {
		fmt.Fprintf(&b, "    # %s\n    {nkey: %s", u.Name, u.NKey)
		if !u.All {
			fmt.Fprintf(&b, ", permissions: {\n      publish: %s\n      subscribe: %s\n      allow_responses: true\n    }", list(u.Publish), list(u.Subscribe))
		}
		b.WriteString("}\n")
	}
	b.WriteString("  ]\n}\n")
	return b.String()
}

// kubernetes is what the vault holds as Secrets: for each server and each part
// what it needs.
func (v *vault) kubernetes() (string, error) {
	var b strings.Builder
	b.WriteString("# Made by streamflow secure init:  kubectl -n streamflow apply -f THIS-FILE\n")
	secret := func(name string, files map[string]string) error {
		data := make(map[string][]byte)
		for key, file := range files {
			text, err := os.ReadFile(filepath.Join(v.dir, file))
			if err != nil {
				return err
			}
			data[key] = text
		}
		text, err := json.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]string{"name": "streamflow-" + name}, "data": data,
		})
		fmt.Fprintf(&b, "---\n%s\n", text)
		return err
	}
	var errs []error
	for _, s := range closedServers {
		files := map[string]string{"ca": "ca.pem", "cert": s.name + ".pem", "key": s.name + ".key"}
		switch s.name {
		case "kafka":
			files["keystore"] = secureKeystore
		case "nats":
			files["users"] = secureNATSUsers
		case partAdmin:
			files["users"], files["api-key"] = secureUsers, partAdmin+".api-key"
		}
		if slices.ContainsFunc(v.parts, func(p vaultPart) bool { return p.Name == s.name }) {
			files["password"], files["nkey"] = s.name+".password", s.name+".nkey"
		}
		errs = append(errs, secret(s.name, files))
	}
	for _, p := range v.parts {
		if !slices.ContainsFunc(closedServers, func(s closedServer) bool { return s.name == p.Name }) {
			errs = append(errs, secret(p.Name, map[string]string{"ca": "ca.pem", "password": p.Name + ".password", "nkey": p.Name + ".nkey"}))
		}
	}
	return b.String(), errors.Join(errs...)
}
