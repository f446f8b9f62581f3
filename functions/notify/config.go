package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"streamflow"
)

// Secret is a key that no log and no JSON shows.
type Secret []byte

// String hides the secret.
func (Secret) String() string { return "[secret]" }

// GoString hides the secret.
func (Secret) GoString() string { return "[secret]" }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalJSON hides the secret.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"[secret]"`), nil }

// UnmarshalJSON reads a JSON string.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return errors.New("secret: want a string")
	}
	*s = Secret(text)
	return nil
}

// Duration is a time.Duration whose JSON is its text: "10s".
type Duration time.Duration

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(data []byte) error {
	v, err := time.ParseDuration(string(data))
	*d = Duration(v)
	return err
}

// Webhook is one receiver of alerts. The lists select; an empty one selects all.
type Webhook struct {
	Name string `json:"name"` // 1 to 32 of a-z 0-9 - _; names its queue, so keep it
	URL  string `json:"url"`

	// One of these three has the key of the signatures, 16 bytes or more.
	Secret     Secret `json:"secret,omitempty"`
	SecretFile string `json:"secret_file,omitempty"` // a file that holds it; white space around it is cut off
	SecretEnv  string `json:"secret_env,omitempty"`  // an environment variable that holds it

	Severities  []streamflow.Severity `json:"severities,omitempty"`
	Symbols     []string              `json:"symbols,omitempty"`
	Rules       []string              `json:"rules,omitempty"`        // their IDs
	MaxAttempts int                   `json:"max_attempts,omitempty"` // 1 to 100; 0 is 15: a bit over an hour
	Timeout     Duration              `json:"timeout,omitempty"`      // of one attempt, up to [MaxTimeout]; 0 is 10s
	Concurrency int                   `json:"concurrency,omitempty"`  // attempts at the same time, 1 to 64; 0 is 4
	// Insecure allows http to another machine, where anybody on the way can read
	// the alerts. They stay signed.
	Insecure bool `json:"insecure,omitempty"`
}

// LogValue is the name: the URL of many receivers is a secret.
func (h Webhook) LogValue() slog.Value { return slog.StringValue(h.Name) }

// Bounds and defaults of the settings of a webhook.
const (
	MaxTimeout         = 30 * time.Second
	defaultTimeout     = 10 * time.Second
	defaultAttempts    = 15
	maxAttempts        = 100
	defaultConcurrency = 4
	maxConcurrency     = 64
	minSecret          = 16
	maxSecretFile      = 4 << 10
)

// ParseConfig reads a JSON list of webhooks, fetches their secrets and fills in
// the defaults. The error names the field at fault, and no secret.
func ParseConfig(data []byte) ([]Webhook, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var hooks []Webhook
	if err := d.Decode(&hooks); err != nil {
		return nil, fmt.Errorf("webhooks: want a list of {name, url, secret, ...}: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("webhooks: something stands behind the list")
	}
	names := make(map[string]bool)
	for i := range hooks {
		h := &hooks[i]
		err := h.check()
		if err == nil && names[h.Name] {
			err = fmt.Errorf("name: another webhook is called %q too", h.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("webhooks[%d] %.32q: %w", i, h.Name, err)
		}
		names[h.Name] = true
	}
	return hooks, nil
}

// check fills in what was left out and says which field is wrong.
func (h *Webhook) check() error {
	if h.MaxAttempts == 0 {
		h.MaxAttempts = defaultAttempts
	}
	if h.Timeout == 0 {
		h.Timeout = Duration(defaultTimeout)
	}
	if h.Concurrency == 0 {
		h.Concurrency = defaultConcurrency
	}
	switch {
	case h.Name == "" || len(h.Name) > 32 || strings.Trim(h.Name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
		return errors.New("name: want 1 to 32 of a-z 0-9 - _")
	case h.MaxAttempts < 1 || h.MaxAttempts > maxAttempts:
		return fmt.Errorf("max_attempts: %d; want 1 to %d", h.MaxAttempts, maxAttempts)
	case h.Timeout < Duration(time.Millisecond) || h.Timeout > Duration(MaxTimeout):
		return fmt.Errorf("timeout: %s; want 1ms to %s", time.Duration(h.Timeout), MaxTimeout)
	case h.Concurrency < 1 || h.Concurrency > maxConcurrency:
		return fmt.Errorf("concurrency: %d; want 1 to %d", h.Concurrency, maxConcurrency)
	}
	if err := h.checkURL(); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	for _, s := range h.Severities {
		if !slices.Contains([]streamflow.Severity{streamflow.SeverityInfo, streamflow.SeverityWarning, streamflow.SeverityCritical}, s) {
			return fmt.Errorf("severities: %.40q; want info, warning or critical", s)
		}
	}
	for _, s := range h.Symbols {
		if !streamflow.ValidSymbol(s) {
			return fmt.Errorf("symbols: %.40q is no symbol", s)
		}
	}
	return h.fetchSecret()
}

// checkURL refuses what would carry alerts in the clear, or a password. It does
// not quote the URL: that of many receivers is a secret itself.
func (h *Webhook) checkURL() error {
	u, err := url.Parse(h.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("want https://host/path")
	case u.User != nil:
		return errors.New("it holds a user or a password; deliveries are signed instead")
	case u.Scheme == "http" && !h.Insecure && !loopback(u.Hostname()):
		return errors.New("http to another machine lets anybody on the way read the alerts: use https, or set insecure to true")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fetchSecret leaves the key in Secret.
func (h *Webhook) fetchSecret() error {
	field, given := "secret", 0
	for _, set := range []bool{len(h.Secret) > 0, h.SecretFile != "", h.SecretEnv != ""} {
		if set {
			given++
		}
	}
	if given != 1 {
		return fmt.Errorf("secret: %d of secret, secret_file and secret_env are set; want one", given)
	}
	switch {
	case h.SecretFile != "":
		field = "secret_file"
		data, err := readSecret(h.SecretFile)
		if err != nil {
			return fmt.Errorf("secret_file: %w", err)
		}
		h.Secret = Secret(bytes.TrimSpace(data))
	case h.SecretEnv != "":
		field = "secret_env"
		h.Secret = Secret(os.Getenv(h.SecretEnv))
	}
	if len(h.Secret) < minSecret {
		return fmt.Errorf("%s: it holds %d bytes; want %d or more, such as `openssl rand -hex 32` makes", field, len(h.Secret), minSecret)
	}
	return nil
}

func readSecret(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err == nil && len(data) > maxSecretFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxSecretFile)
	}
	return data, err
}

// wants says whether the webhook is to have an alert.
func (h *Webhook) wants(a *streamflow.Alert) bool {
	return (len(h.Severities) == 0 || slices.Contains(h.Severities, a.Severity)) &&
		(len(h.Symbols) == 0 || slices.Contains(h.Symbols, a.Symbol)) &&
		(len(h.Rules) == 0 || slices.Contains(h.Rules, a.Rule))
}
