package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// explained is an error for a person. Unwrap gives the error of the driver.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// explainURL says what is wrong with a database URL without quoting it, nor an
// error that may quote a part of it: it holds the password.
func explainURL(err error) error {
	const want = "want postgres://user:password@host:5432/database (characters such as @ / : # % of the password written as %40 %2F %3A %23 %25); check DATABASE_URL"
	var parse *pgconn.ParseConfigError
	var bad *url.Error
	var escape url.EscapeError
	reason := ""
	if errors.As(err, &parse) && parse.Unwrap() != nil && !errors.As(err, &bad) && !errors.As(err, &escape) {
		if cause := parse.Unwrap().Error(); !strings.ContainsAny(cause, `"@'`+"`") {
			reason = ": " + cause
		}
	}
	return errors.New("postgres: the database URL cannot be read" + reason + "; " + want)
}

// explain says where the server was looked for, what went wrong and what to do.
func explain(cfg *pgx.ConnConfig, err error) error {
	where := net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))
	if strings.HasPrefix(cfg.Host, "/") {
		where = "socket " + cfg.Host + ", port " + strconv.Itoa(int(cfg.Port))
	}
	cause, todo := diagnose(cfg, err)
	return &explained{
		text: fmt.Sprintf("PostgreSQL at %s (database %s, user %s): %s; %s", where, cfg.Database, cfg.User, cause, todo),
		err:  err,
	}
}

// diagnose returns the cause in few words and the advice that goes with it.
func diagnose(cfg *pgx.ConnConfig, err error) (cause, todo string) {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Message, advice(cfg, server.Code)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "the host name is not known", "check the host in DATABASE_URL"
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" && !op.Timeout() {
		return op.Err.Error(), "is the server running there? check DATABASE_URL, or unset it and let `streamflow up` start one"
	}
	if errors.Is(err, context.Canceled) {
		return "the attempt was cancelled", "try again"
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time", "check host and port in DATABASE_URL, the network and the firewall"
	}
	// What is left is TLS or a broken connection; the last line is the cause.
	lines := strings.Split(err.Error(), "\n")
	return strings.TrimSpace(lines[len(lines)-1]), "check that PostgreSQL listens there and that sslmode in DATABASE_URL is what it wants"
}

// advice goes by SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
func advice(cfg *pgx.ConnConfig, code string) string {
	switch code {
	case "28P01", "28000":
		return "check user and password in DATABASE_URL, and pg_hba.conf on the server"
	case "3D000":
		return fmt.Sprintf("create it: CREATE DATABASE %s", pgx.Identifier{cfg.Database}.Sanitize())
	case "53300":
		return "raise max_connections of the server or lower pool_max_conns in DATABASE_URL"
	case "57P03":
		return "the server is starting or stopping, try again in a moment"
	case "42501":
		return "grant the right to the user"
	case "57014":
		return "the statement took too long, the server may be overloaded"
	}
	return "SQLSTATE " + code
}
