package embedded

import (
	"crypto/tls"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// NATSUser is who may come to the embedded NATS.
type NATSUser struct {
	Name     string // with Password, or for people only
	Password string
	NKey     string // the public key of who signs in by nkey, in place of a password
	// All may do everything. Others may publish and subscribe to these subjects,
	// and answer who asks them.
	All                bool
	Publish, Subscribe []string
}

// tlsWait is how long a handshake may take: a busy machine is slow at it.
const tlsWait = 10 * time.Second

// secureNATS puts into a server's options who is let in, and how.
func secureNATS(o *server.Options, cfg NATSConfig) {
	if cfg.TLS != nil {
		o.TLS, o.TLSConfig, o.TLSTimeout = true, cfg.TLS, tlsWait.Seconds()
		o.TLSVerify = cfg.TLS.ClientAuth == tls.RequireAndVerifyClientCert
	}
	for _, u := range cfg.Users {
		var allowed *server.Permissions
		if !u.All {
			allowed = &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: u.Publish},
				Subscribe: &server.SubjectPermission{Allow: u.Subscribe},
				Response:  &server.ResponsePermission{MaxMsgs: server.DEFAULT_ALLOW_RESPONSE_MAX_MSGS, Expires: server.DEFAULT_ALLOW_RESPONSE_EXPIRATION},
			}
			if len(u.Publish) == 0 {
				allowed.Publish = &server.SubjectPermission{Deny: []string{">"}}
			}
			if len(u.Subscribe) == 0 {
				allowed.Subscribe = &server.SubjectPermission{Deny: []string{">"}}
			}
		}
		if u.NKey != "" {
			o.Nkeys = append(o.Nkeys, &server.NkeyUser{Nkey: u.NKey, Permissions: allowed})
		} else {
			o.Users = append(o.Users, &server.User{Username: u.Name, Password: u.Password, Permissions: allowed})
		}
	}
}

func natsScheme(cfg NATSConfig) string {
	if cfg.TLS != nil {
		return "tls://"
	}
	return "nats://"
}
