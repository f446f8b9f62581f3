// Package roles gives a closed database its roles: an owner of what is in it,
// and one for each part, which may connect and no more until the owner grants it
// something.
package roles

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Role is one that may log in, with a password.
type Role struct{ Name, Password string }

// Ensure makes the roles, with their passwords of today, and gives the database
// and what is in it to the owner. database is the URL of a superuser.
func Ensure(ctx context.Context, database string, owner Role, others []Role) (err error) {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	name := pgx.Identifier{conn.Config().Database}.Sanitize()
	for _, r := range append([]Role{owner}, others...) {
		if err := ensure(ctx, conn, name, r); err != nil {
			return fmt.Errorf("role %s: %w", r.Name, err)
		}
	}
	to := pgx.Identifier{owner.Name}.Sanitize()
	for _, sql := range []string{
		"revoke all on database " + name + " from public",
		"revoke create on schema public from public",
		"alter database " + name + " owner to " + to,
		"alter schema public owner to " + to,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return handOver(ctx, conn, to)
}

func ensure(ctx context.Context, conn *pgx.Conn, database string, r Role) error {
	verifier, err := Verifier(r.Password)
	if err != nil {
		return err
	}
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", r.Name).Scan(&there); err != nil {
		return err
	}
	make := "alter"
	if !there {
		make = "create"
	}
	name := pgx.Identifier{r.Name}.Sanitize()
	for _, sql := range []string{
		make + " role " + name + " login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password '" + verifier + "'",
		"grant connect on database " + database + " to " + name,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// handOver gives the owner what was made while the database was open, by the
// superuser. What belongs to an extension stays with it.
func handOver(ctx context.Context, conn *pgx.Conn, owner string) error {
	rows, err := conn.Query(ctx, `
		select format('alter %s %I.%I owner to ', case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' else 'table' end, n.nspname, c.relname)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
		where n.nspname = 'public' and r.rolname = current_user and c.relkind in ('r', 'p', 'v', 'm', 'S')
		  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('e', 'i', 'a') and d.classid = 'pg_class'::regclass
		                  and (d.deptype = 'e' or c.relkind = 'S'))`)
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

// Verifier is how PostgreSQL keeps a password: no log of a statement can tell it.
func Verifier(password string) (string, error) {
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
