package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// TLS names the files, all PEM, by which one side of a connection knows the
// other. Each may be empty.
type TLS struct {
	CA   string // the authorities that are trusted; those of the system if empty
	Cert string // our own certificate, with those between it and the authority
	Key  string // the private key of Cert
	// Setting is what the names of the settings begin with, such as KAFKA_TLS:
	// _CA, _CERT and _KEY follow.
	Setting string
}

// Named reports whether any file is.
func (t TLS) Named() bool { return t.CA != "" || t.Cert != "" || t.Key != "" }

// Client returns the settings of a client. Cert is what it shows a server that
// asks for one (mTLS).
func (t TLS) Client() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pool, err := t.authorities()
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	if t.Cert != "" || t.Key != "" {
		if _, err := t.pair(); err != nil {
			return nil, err
		}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.pair() }
	}
	return c, nil
}

// Server returns the settings of a server that shows Cert; nil if none is
// named. With CA it lets in only who shows a certificate of such an authority.
func (t TLS) Server() (*tls.Config, error) {
	if !t.Named() {
		return nil, nil
	}
	if _, err := t.pair(); err != nil {
		return nil, err
	}
	c := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return t.pair() },
	}
	if t.CA != "" {
		pool, err := t.authorities()
		if err != nil {
			return nil, err
		}
		c.ClientCAs, c.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	return c, nil
}

func (t TLS) authorities() (*x509.CertPool, error) {
	text, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, fmt.Errorf("%s_CA: %w: name the file of the authority that signed the other side's certificate", t.Setting, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s_CA: %s holds no certificate: want PEM, which begins with -----BEGIN CERTIFICATE-----", t.Setting, t.CA)
	}
	return pool, nil
}

// pair reads our certificate.
func (t TLS) pair() (*tls.Certificate, error) {
	switch {
	case t.Key == "":
		return nil, fmt.Errorf("%s_CERT is set and %s_KEY is not: a certificate needs its private key", t.Setting, t.Setting)
	case t.Cert == "":
		return nil, fmt.Errorf("%s_KEY is set and %s_CERT is not: a private key needs its certificate", t.Setting, t.Setting)
	}
	cert, err := os.ReadFile(t.Cert)
	if err != nil {
		return nil, fmt.Errorf("%s_CERT: %w: name the file of our own certificate", t.Setting, err)
	}
	key, err := os.ReadFile(t.Key)
	if err != nil {
		return nil, fmt.Errorf("%s_KEY: %w: name the file of the private key of %s", t.Setting, err, t.Cert)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s_CERT %s and %s_KEY %s: %w: want a certificate and the key that belongs to it, both PEM", t.Setting, t.Cert, t.Setting, t.Key, err)
	}
	if now := time.Now(); now.After(pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("%s_CERT: %s has expired at %s: renew it", t.Setting, t.Cert, pair.Leaf.NotAfter.Format(time.RFC3339))
	}
	return &pair, nil
}

// certificateAlerts are what a server says to a client whose certificate it
// does not like. Their type in crypto/tls has no name outside of it.
var certificateAlerts = map[string]string{
	"tls: certificate required":          "it wants a certificate from us",
	"tls: bad certificate":               "it does not take our certificate, or wants one",
	"tls: unsupported certificate":       "it does not take certificates of our kind",
	"tls: revoked certificate":           "our certificate is revoked",
	"tls: expired certificate":           "our certificate has expired",
	"tls: unknown certificate":           "it does not take our certificate",
	"tls: unknown certificate authority": "it does not know the authority that signed our certificate",
}

// Explain says what an error of a handshake means and what to do, for settings
// that begin with setting; "" if it is none.
func Explain(err error, setting string) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	alert := ""
	if remote, ok := errors.AsType[*net.OpError](err); ok && remote.Op == "remote error" {
		alert = certificateAlerts[remote.Err.Error()]
	}
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprintf("we do not know the authority that signed its certificate: name its file in %s_CA", setting)
	case errors.As(err, &name):
		return "its certificate is for another name: use the name that stands in the certificate, or have the server show one for this address"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet: renew it there, or set the clock here"
	case errors.As(err, &invalid):
		return "its certificate is not valid: have it made anew"
	case errors.As(err, &plain):
		return "it does not speak TLS there: use its port for TLS, or do without TLS"
	case alert != "":
		return fmt.Sprintf("%s: set %s_CERT and %s_KEY to one that it takes", alert, setting, setting)
	}
	return ""
}
