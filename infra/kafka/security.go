package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"streamflow/infra/secure"
)

// Security says how a client checks the brokers and proves who it is. The zero
// value speaks in the clear and says nothing of itself.
type Security struct {
	TLS       bool       // with the system's authorities, if Files names none
	Files     secure.TLS // any of them switches TLS on
	Mechanism string     // of SASL, one of [Mechanisms]; "" is none
	User      string
	Password  secure.Secret
}

// Mechanisms are those of SASL that are known, in lower case. plain shows the
// password to whoever listens, unless there is TLS.
var Mechanisms = []string{"plain", "scram-sha-256", "scram-sha-512"}

const settingTLS = "KAFKA_TLS"

func (s Security) encrypted() bool { return s.TLS || s.Files.Named() }

// tls returns how a client speaks with brokers, nil for in the clear, or which
// setting is wrong and how.
func (s Security) tls() (*tls.Config, error) {
	if !s.encrypted() {
		return nil, nil
	}
	s.Files.Setting = settingTLS
	c, err := s.Files.Client()
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return c, nil
}

// options returns the client's options, or which setting is wrong and how.
func (s Security) options() (opts []kgo.Opt, err error) {
	mechanism, err := s.sasl()
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	if mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

// sasl returns the mechanism, nil for none. The password is read for each
// connection anew, so that it can be changed while we run.
func (s Security) sasl() (sasl.Mechanism, error) {
	s.Password.Setting = "KAFKA_SASL_PASSWORD"
	known := strings.Join(Mechanisms, ", ")
	switch {
	case s.Mechanism == "" && s.User == "" && !s.Password.Set():
		return nil, nil
	case s.Mechanism == "":
		return nil, fmt.Errorf("KAFKA_SASL_USER or KAFKA_SASL_PASSWORD is set and KAFKA_SASL_MECHANISM is not: set it to what the brokers take, one of %s", known)
	case s.User == "":
		return nil, fmt.Errorf("KAFKA_SASL_MECHANISM is %s and KAFKA_SASL_USER is not set: name the user", s.Mechanism)
	case !s.Password.Set():
		return nil, fmt.Errorf("KAFKA_SASL_USER is %s and there is no password: set KAFKA_SASL_PASSWORD_FILE to a file that holds it, or KAFKA_SASL_PASSWORD", s.User)
	}
	if _, err := s.Password.Read(); err != nil {
		return nil, err
	}
	login := func(context.Context) (scram.Auth, error) {
		password, err := s.Password.Read()
		return scram.Auth{User: s.User, Pass: password}, err
	}
	switch strings.ToLower(s.Mechanism) {
	case "plain":
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			password, err := s.Password.Read()
			return plain.Auth{User: s.User, Pass: password}, err
		}), nil
	case "scram-sha-256":
		return scram.Sha256(login), nil
	case "scram-sha-512":
		return scram.Sha512(login), nil
	}
	return nil, fmt.Errorf("KAFKA_SASL_MECHANISM is %q: want one of %s", s.Mechanism, known)
}

// explain says what an error of the first contact means where it comes from
// TLS or SASL, and "" where not.
func (s Security) explain(err error, closed bool) string {
	if why := secure.Explain(err, settingTLS); why != "" {
		return why
	}
	var plainly tls.RecordHeaderError
	var first *kgo.ErrFirstReadEOF // which of three it is, only its text tells
	login := "KAFKA_SASL_MECHANISM, KAFKA_SASL_USER and KAFKA_SASL_PASSWORD_FILE"
	switch {
	case errors.As(err, &plainly), s.encrypted() && closed && s.Mechanism == "":
		return "it closes the connection although we speak TLS: use its port for TLS, or do without " + settingTLS + "; or it wants a login: set " + login
	case strings.Contains(err.Error(), "tls alert record"), errors.As(err, &first) && strings.Contains(first.Error(), "is TLS missing"):
		return "it closes the connection at our first word. If it speaks TLS, set " + settingTLS + " to true, and " + settingTLS +
			"_CA if its authority is one of your own; if this is the port of another program, correct KAFKA_BOOTSTRAP_SERVERS"
	case s.encrypted() && strings.Contains(err.Error(), "unable to dial") && errors.Is(err, context.DeadlineExceeded):
		return "no answer to a TLS handshake: is this its port for TLS (else do without " + settingTLS + "), and does a firewall let it through?"
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Sprintf("it does not take KAFKA_SASL_MECHANISM %s: set another one of %s", s.Mechanism, strings.Join(Mechanisms, ", "))
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.IllegalSaslState), closed && s.Mechanism != "":
		return fmt.Sprintf("it does not take the login of user %s: is the password right, and is the user known there for %s? See %s", s.User, s.Mechanism, login)
	}
	return ""
}
