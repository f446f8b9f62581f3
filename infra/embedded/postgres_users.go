package embedded

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
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
	verifier, err := scramVerifier(s.Password)
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

// ensureUsers makes the roles, with their passwords of today, and gives the
// database and what is in it to the owner. Others may connect, and no more.
func (s *PostgresSecurity) ensureUsers(ctx context.Context, database string) (err error) {
	if s == nil {
		return nil
	}
	conn, err := pgx.Connect(ctx, s.open(database, true))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, u := range append([]PostgresUser{s.Owner}, s.Users...) {
		verifier, err := scramVerifier(u.Password)
		if err != nil {
			return err
		}
		name := pgx.Identifier{u.Name}.Sanitize()
		var there bool
		if err := conn.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", u.Name).Scan(&there); err != nil {
			return err
		}
		make := "alter"
		if !there {
			make = "create"
		}
		for _, sql := range []string{
			make + " role " + name + " login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password '" + verifier + "'",
			"grant connect on database " + pgName + " to " + name,
		} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return fmt.Errorf("role %s: %w", u.Name, err)
			}
		}
	}
	owner := pgx.Identifier{s.Owner.Name}.Sanitize()
	for _, sql := range []string{
		"revoke all on database " + pgName + " from public",
		"revoke create on schema public from public",
		"alter database " + pgName + " owner to " + owner,
		"alter schema public owner to " + owner,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return handOver(ctx, conn, owner)
}

// handOver gives the owner what was made while the database was open, by the
// superuser. What belongs to an extension stays with it.
func handOver(ctx context.Context, conn *pgx.Conn, owner string) error {
	rows, err := conn.Query(ctx, `
		select format('alter %s %I.%I owner to ', case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' else 'table' end, n.nspname, c.relname)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
		where n.nspname = 'public' and r.rolname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'S')
		  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('e', 'i', 'a') and d.classid = 'pg_class'::regclass
		                  and (d.deptype = 'e' or c.relkind = 'S'))`, pgName)
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql+owner); err != nil {
			return err
		}
	}
	return nil
}

// scramVerifier is how PostgreSQL keeps a password: no log of a statement can
// tell it.
func scramVerifier(password string) (string, error) {
	const rounds = 4096
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", err
	}
	mac := func(text string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(mac("Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, b64(salt), b64(stored[:]), b64(mac("Server Key"))), nil
}
