package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"streamflow/infra/postgres/roles"
)

// PostgresSecurity closes the embedded PostgreSQL: nobody comes in without a
// password, and nobody without TLS.
type PostgresSecurity struct {
	CA, Cert, Key string // files, PEM: what clients trust, and what the server shows
	Password      string // of the superuser streamflow
	Owner         PostgresUser
	Users         []PostgresUser // whose rights on tables are the owner's to give
}

// PostgresUser is a role that may log in.
type PostgresUser struct{ Name, Password string }

// Files of a closed server, in the directory of the cluster.
const (
	pgCertFile  = "streamflow.crt"
	pgKeyFile   = "streamflow.key"
	pgAllowFile = "streamflow_hba.conf"
)

const pgAllow = `# Written at every start by streamflow up --secure.
hostssl   all all all scram-sha-256
hostnossl all all all reject
`

// settings are those of a closed server.
func (s *PostgresSecurity) settings(dir string) []string {
	if s == nil {
		return nil
	}
	return []string{
		"-c", "ssl=on", "-c", "ssl_min_protocol_version=TLSv1.2",
		"-c", "ssl_cert_file=" + filepath.Join(dir, pgCertFile), "-c", "ssl_key_file=" + filepath.Join(dir, pgKeyFile),
		"-c", "hba_file=" + filepath.Join(dir, pgAllowFile), "-c", "password_encryption=scram-sha-256",
	}
}

// prepare gives a cluster that does not run its files and its superuser's
// password: once it listens, it is closed.
func (s *PostgresSecurity) prepare(ctx context.Context, cl *cluster, bin binaries, log *slog.Logger) error {
	if s == nil {
		return nil
	}
	for name, from := range map[string]string{pgCertFile: s.Cert, pgKeyFile: s.Key, pgAllowFile: ""} {
		text := []byte(pgAllow)
		if from != "" {
			var err error
			if text, err = os.ReadFile(from); err != nil {
				return err
			}
		}
		if err := cl.owner.give(filepath.Join(cl.dir, name), text); err != nil {
			return err
		}
	}
	verifier, err := roles.Verifier(s.Password)
	if err != nil {
		return err
	}
	// Single-user mode: no server listens yet, and none must before this.
	cmd := cl.command(bin, "postgres", "--single", "-D", cl.dir, "-c", "log_destination=stderr", "-c", "logging_collector=off", "postgres")
	cmd.Stdin = strings.NewReader("ALTER ROLE " + pgName + " PASSWORD '" + verifier + "'\n")
	out, err := runTool(ctx, cmd, log)
	if err == nil && strings.Contains(out, "ERROR:") {
		err = errors.New("it refuses")
	}
	if err != nil {
		return fmt.Errorf("password of the superuser: %w:\n%s", err, strings.ReplaceAll(out, verifier, "..."))
	}
	return nil
}

// give makes a file of the owner that nobody else can read.
func (o owner) give(name string, text []byte) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(name, text, 0o600); err != nil || o.cred == nil {
		return err
	}
	return os.Chown(name, o.uid, o.gid)
}

// open makes an URL of a database one that a closed server takes.
func (s *PostgresSecurity) open(database string, password bool) string {
	if s == nil {
		return database
	}
	u, err := url.Parse(database)
	if err != nil {
		return database // it is ours, and a URL
	}
	u.RawQuery = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {s.CA}}.Encode()
	if password {
		u.User = url.UserPassword(pgName, s.Password)
	}
	return u.String()
}

// ensureUsers makes the roles and gives the database to its owner.
func (s *PostgresSecurity) ensureUsers(ctx context.Context, database string) error {
	if s == nil {
		return nil
	}
	others := make([]roles.Role, 0, len(s.Users))
	for _, u := range s.Users {
		others = append(others, roles.Role(u))
	}
	return roles.Ensure(ctx, s.open(database, true), roles.Role(s.Owner), others)
}
