package jetstream

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"streamflow/infra/secure"
)

// Security says how a client checks the servers and proves who it is. The zero
// value is what the URL says: tls:// and user:password@ may stand there.
type Security struct {
	Files secure.TLS // any of them switches TLS on
	// At most one of these three.
	Creds string // file of a JWT and its seed, as nsc writes them
	NKey  string // file of the seed of an nkey
	User  string // with Password
	// Password is read for each connection anew.
	Password secure.Secret
	// InboxPrefix is where answers come to, for users that may not subscribe to
	// _INBOX.>; "" is _INBOX.
	InboxPrefix string
}

const settingTLS = "NATS_TLS"

// options returns the client's options for a server, or which setting is wrong
// and how.
func (s Security) options(server string) (opts []nats.Option, err error) {
	if s.Files.Named() {
		s.Files.Setting = settingTLS
		c, err := s.Files.Client()
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.Secure(c))
	}
	if s.InboxPrefix != "" {
		if strings.ContainsAny(s.InboxPrefix, "*> \t") || strings.HasSuffix(s.InboxPrefix, ".") {
			return nil, fmt.Errorf("NATS_INBOX_PREFIX is %q: want the beginning of a subject, without wildcards and without a dot at the end", s.InboxPrefix)
		}
		opts = append(opts, nats.CustomInboxPrefix(s.InboxPrefix))
	}
	login, err := s.login(server)
	return append(opts, login...), err
}

func (s Security) login(server string) ([]nats.Option, error) {
	s.Password.Setting = "NATS_PASSWORD"
	var named []string
	for _, setting := range []struct{ name, value string }{{"NATS_CREDS", s.Creds}, {"NATS_NKEY", s.NKey}, {"NATS_USER", s.User}} {
		if setting.value != "" {
			named = append(named, setting.name)
		}
	}
	if len(named) > 0 && loggedIn(server) {
		named = append(named, "NATS_URL (it names a user)")
	}
	switch {
	case len(named) > 1:
		return nil, fmt.Errorf("%s are set: one way to sign in is enough, take the others away", strings.Join(named, " and "))
	case s.User == "" && s.Password.Set():
		return nil, errors.New("NATS_PASSWORD is set and NATS_USER is not: name the user")
	case s.User != "" && !s.Password.Set():
		return nil, fmt.Errorf("NATS_USER is %s and there is no password: set NATS_PASSWORD_FILE to a file that holds it, or NATS_PASSWORD", s.User)
	case s.Creds != "":
		if err := checkCreds(s.Creds); err != nil {
			return nil, err
		}
		return []nats.Option{nats.UserCredentials(s.Creds)}, nil
	case s.NKey != "":
		option, err := nats.NkeyOptionFromSeed(s.NKey)
		if err != nil {
			return nil, fmt.Errorf("NATS_NKEY: %s: %w: name a file that holds the seed of a user's nkey, which begins with SU", s.NKey, err)
		}
		return []nats.Option{option}, nil
	case s.User != "":
		if _, err := s.Password.Read(); err != nil {
			return nil, err
		}
		return []nats.Option{nats.UserInfoHandler(func() (string, string) {
			password, _ := s.Password.Read() // the server refuses an empty one, and says so
			return s.User, password
		})}, nil
	}
	return nil, nil
}

// checkCreds reads the file as a connection will.
func checkCreds(file string) error {
	text, err := os.ReadFile(file)
	if err == nil {
		_, err = nkeys.ParseDecoratedJWT(text)
	}
	if err == nil {
		_, err = nkeys.ParseDecoratedUserNKey(text)
	}
	if err != nil {
		return fmt.Errorf("NATS_CREDS: %s: %w: name a credentials file, such as `nsc generate creds` writes, that this user can read", file, err)
	}
	return nil
}

// Redact returns URLs of servers without passwords and tokens.
func Redact(servers string) string {
	list := strings.Split(servers, ",")
	for i, server := range list {
		u, err := url.Parse(strings.TrimSpace(server))
		switch {
		case err != nil && strings.Contains(server, "@"):
			list[i] = "nats://" + server[strings.LastIndex(server, "@")+1:]
		case err != nil || u.User == nil:
		default:
			if _, there := u.User.Password(); there {
				list[i] = u.Redacted()
			} else { // a token
				u.User = url.User("xxxxx")
				list[i] = u.String()
			}
		}
	}
	return strings.Join(list, ",")
}

// loggedIn reports whether an URL names a user.
func loggedIn(servers string) bool {
	for server := range strings.SplitSeq(servers, ",") {
		if u, err := url.Parse(strings.TrimSpace(server)); err == nil && u.User != nil {
			return true
		}
	}
	return false
}

// explain says what an error of the first contact means.
func (s Security) explain(server string, err error) string {
	if why := secure.Explain(err, settingTLS); why != "" {
		return why
	}
	if hungUp(err) {
		return fmt.Sprintf("it closed the connection right after the handshake, most often because it wants a certificate, or another one: set %[1]s_CERT and %[1]s_KEY to one that it takes", settingTLS)
	}
	anonymous := s.Creds == "" && s.NKey == "" && s.User == "" && !loggedIn(server)
	switch {
	case errors.Is(err, nats.ErrSecureConnWanted):
		return "it does not speak TLS: write nats:// in NATS_URL and leave " + settingTLS + "_CA, _CERT and _KEY empty, or switch TLS on there"
	case errors.Is(err, nats.ErrSecureConnRequired):
		return "it wants TLS: write tls:// in NATS_URL, and set " + settingTLS + "_CA if its authority is one of your own"
	case errors.Is(err, nats.ErrAuthorization) && anonymous:
		return "it lets in only whom it knows: set NATS_CREDS or NATS_NKEY to a file, or NATS_USER and NATS_PASSWORD_FILE"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked), errors.Is(err, nats.ErrAccountAuthExpired):
		return fmt.Sprintf("it does not let us in by %s: is the user known there, and are password or key those of today?", s.means())
	}
	return "is the server running, and is NATS_URL right?"
}

// hungUp says that a server has closed the connection behind the handshake of
// TLS, and not why. A client of TLS 1.3 is through with the handshake before the
// server has looked at its certificate. If it then writes twice before it reads,
// the second write fails by the closed connection, and the server's word is never
// read.
func hungUp(err error) bool {
	return (errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) &&
		strings.Contains(err.Error(), "after TLS handshake") // nats.go says so by its text alone
}

// means names the setting by which we sign in.
func (s Security) means() string {
	switch {
	case s.Creds != "":
		return "NATS_CREDS " + s.Creds
	case s.NKey != "":
		return "NATS_NKEY " + s.NKey
	case s.User != "":
		return "NATS_USER " + s.User
	}
	return "the user in NATS_URL"
}
