package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// healthCmd is the health check of an image that has neither shell nor curl.
type healthCmd struct {
	MetricsAddr string        `help:"Address of a part's /ready: that of the process to ask." placeholder:"HOST:PORT" env:"METRICS_ADDR"`
	HTTPAddr    string        `name:"http-addr" help:"Address of the API, asked if the other is empty." default:"127.0.0.1:8080" env:"HTTP_ADDR"`
	HTTPCert    string        `name:"http-tls-cert" help:"File of the API's certificate, if it serves HTTPS." placeholder:"FILE" env:"HTTP_TLS_CERT"`
	Alive       bool          `help:"Only whether the process answers, whatever its servers do."`
	Timeout     time.Duration `help:"How long the answer may take." default:"5s"`
}

// Help is shown by --help.
func (healthCmd) Help() string {
	return `Asks a part that runs on this machine whether it is ready, by the same variables that told it where to listen. Exit code 0 if it is, 1 if not; the answer tells which server is missing.`
}

// Run asks once.
func (c *healthCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	url := c.url()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("%s: %w: want HOST:PORT in METRICS_ADDR or HTTP_ADDR", url, err)
	}
	client, err := localClient(c.HTTPCert)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: is the part running, and does it listen there (METRICS_ADDR, HTTP_ADDR)?", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	said := strings.TrimSpace(string(body))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", url, response.Status, said)
	}
	fmt.Println(said)
	return nil
}

// url is where to ask. A part that listens everywhere is asked on loopback.
func (c *healthCmd) url() string {
	addr := cmp.Or(c.MetricsAddr, c.HTTPAddr)
	if host, port, err := net.SplitHostPort(addr); err == nil {
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			addr = net.JoinHostPort("127.0.0.1", port)
		}
	}
	at := scheme("http", c.cert()) + addr
	if c.Alive {
		return at + "/health"
	}
	return at + "/ready"
}

// cert is the certificate of what is asked: metrics have none.
func (c *healthCmd) cert() string {
	if c.MetricsAddr != "" {
		return ""
	}
	return c.HTTPCert
}

// localClient takes of a server on this machine that certificate alone which
// stands in the file, whatever name it is for.
func localClient(cert string) (*http.Client, error) {
	if cert == "" {
		return http.DefaultClient, nil
	}
	text, err := os.ReadFile(cert)
	if err != nil {
		return nil, fmt.Errorf("HTTP_TLS_CERT: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("HTTP_TLS_CERT: %s holds no certificate in PEM form", cert)
	}
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // in place of what it skips:
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("it shows another certificate than that of HTTP_TLS_CERT")
			}
			return nil
		},
	}}}, nil
}
