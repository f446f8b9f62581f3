package secure

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	authorityYears = 10
	// A certificate is good for a year and is made anew, by who asks for it,
	// a month before it ends.
	certificateDays = 365
	renewDays       = 30
)

// Authority makes certificates, and keeps them and itself in a directory. It is
// for the servers and clients of one system on one machine.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

// OpenAuthority opens the authority in dir, and makes both if they are not there.
func OpenAuthority(dir string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	a := &Authority{dir: dir}
	pair, err := a.open("ca")
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	if pair == nil {
		template := certificate("StreamFlow authority of "+hostname(), authorityYears*365)
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		template.MaxPathLenZero = true
		if pair, err = a.make("ca", template); err != nil {
			return nil, fmt.Errorf("authority: %w", err)
		}
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("%s is no authority: remove %s to have all certificates made anew", a.CA(), dir)
	}
	a.cert, a.key = pair.Leaf, signer
	return a, nil
}

// CA is the file of the authority's certificate.
func (a *Authority) CA() string { return a.file("ca", "pem") }

func (a *Authority) file(name, kind string) string { return filepath.Join(a.dir, name+"."+kind) }

// Issue returns the files of a certificate for name, which is good for servers
// on hosts (names and addresses) and for clients. It makes them if they are not
// there, end soon, or are of another authority or for other hosts.
func (a *Authority) Issue(name string, hosts ...string) (TLS, error) {
	files := TLS{CA: a.CA(), Cert: a.file(name, "pem"), Key: a.file(name, "key")}
	pair, err := a.open(name)
	if err != nil {
		return TLS{}, fmt.Errorf("certificate of %s: %w", name, err)
	}
	if pair != nil && a.good(pair.Leaf, hosts) {
		return files, nil
	}
	template := certificate(name, certificateDays)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if _, err := a.make(name, template); err != nil {
		return TLS{}, fmt.Errorf("certificate of %s: %w", name, err)
	}
	return files, nil
}

func (a *Authority) good(c *x509.Certificate, hosts []string) bool {
	return c.CheckSignatureFrom(a.cert) == nil && time.Until(c.NotAfter) > renewDays*24*time.Hour &&
		!slices.ContainsFunc(hosts, func(host string) bool { return c.VerifyHostname(host) != nil })
}

// open reads a certificate and its key; nil if there is none.
func (a *Authority) open(name string) (*tls.Certificate, error) {
	if _, err := os.Stat(a.file(name, "key")); os.IsNotExist(err) {
		return nil, nil
	}
	absent := func() (string, error) {
		return "", fmt.Errorf("%s is gone, its key is not: remove the key too", a.file(name, "pem"))
	}
	cert, err := Keep(a.file(name, "pem"), absent)
	if err != nil {
		return nil, err
	}
	key, err := Keep(a.file(name, "key"), absent)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil && name != "ca" {
		return nil, nil // a renewal that was cut off between the two; they are made anew
	}
	if err != nil {
		return nil, fmt.Errorf("%s and its key: %w: remove %s to have all certificates made anew", a.CA(), err, a.dir)
	}
	return &pair, nil
}

// make makes a certificate that the authority signs; its own, it signs itself.
func (a *Authority) make(name string, template *x509.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	// The key comes last: without it nothing is there yet.
	if err := write(a.file(name, "pem"), string(text)); err != nil {
		return nil, err
	}
	if err := write(a.file(name, "key"), string(secret)); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(text, secret)
	return &pair, err
}

func certificate(name string, days int) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err) // it cannot fail
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, days), BasicConstraintsValid: true,
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "this machine"
	}
	return name
}
