package notify

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOOK_SECRET", secret)
	hooks, err := ParseConfig([]byte(`[
		{"name":"ops","url":"https://x.example/a","secret_file":"` + filepath.ToSlash(file) + `","severities":["critical"],"symbols":["AAPL","BTC/USD"],"rules":["r"]},
		{"name":"dev","url":"http://127.0.0.1:9/","secret_env":"HOOK_SECRET","timeout":"2s","max_attempts":3,"concurrency":1},
		{"name":"lan","url":"http://lan.example/","secret":"` + secret + `","insecure":true}
	]`))
	if err != nil || len(hooks) != 3 {
		t.Fatal(hooks, err)
	}
	for _, h := range hooks {
		if string(h.Secret) != secret {
			t.Errorf("%s: secret of %d bytes", h.Name, len(h.Secret))
		}
	}
	if h := hooks[0]; h.MaxAttempts != defaultAttempts || h.Timeout != Duration(defaultTimeout) || h.Concurrency != defaultConcurrency || Durable(h.Name) != "notify-ops" {
		t.Errorf("%+v", h)
	}
	if hooks[1].Timeout != Duration(2*time.Second) {
		t.Errorf("%+v", hooks[1])
	}
	if hooks, err := ParseConfig([]byte(`[]`)); err != nil || len(hooks) != 0 {
		t.Error(hooks, err)
	}
}

func TestParseConfigNamesTheField(t *testing.T) {
	with := func(fields string) string {
		return `[{"name":"ops","url":"https://u.example/token","secret":"` + secret + `"` + fields + `}]`
	}
	for _, c := range []struct{ config, text string }{
		{`{}`, "want a list"},
		{`[] []`, "something stands behind"},
		{with(`,"sevirities":[]`), "sevirities"},
		{strings.Replace(with(``), `"ops"`, `"Ops!"`, 1), `webhooks[0] "Ops!": name: want`},
		{strings.TrimSuffix(with(``), "]") + "," + strings.TrimPrefix(with(``), "["), `webhooks[1] "ops": name: another webhook`},
		{strings.Replace(with(``), "https", "ftp", 1), "url: want https"},
		{strings.Replace(with(``), "https", "http", 1), "url: http to another machine"},
		{strings.Replace(with(``), "u.example", "me:hunter2@u.example", 1), "url: it holds a user"},
		{strings.Replace(with(``), secret, "short", 1), "secret: it holds 5 bytes"},
		{strings.Replace(with(``), `"`+secret+`"`, "7", 1), "secret: want a string"},
		{with(`,"secret_env":"X"`), "secret: 2 of secret, secret_file and secret_env"},
		{`[{"name":"ops","url":"https://u.example/token"}]`, "secret: 0 of"},
		{`[{"name":"ops","url":"https://u.example/token","secret_env":"NO_SUCH_VARIABLE"}]`, "secret_env: it holds 0 bytes"},
		{`[{"name":"ops","url":"https://u.example/token","secret_file":"/no/such/file"}]`, "secret_file: open /no/such/file"},
		{with(`,"severities":["fatal"]`), "severities: \"fatal\""},
		{with(`,"symbols":["*"]`), "symbols: \"*\""},
		{with(`,"max_attempts":101`), "max_attempts: 101; want 1 to 100"},
		{with(`,"timeout":"31s"`), "timeout: 31s; want"},
		{with(`,"concurrency":-1`), "concurrency: -1; want 1 to 64"},
	} {
		_, err := ParseConfig([]byte(c.config))
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s\n%v\nwant %s", c.config, err, c.text)
			continue
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "/token") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error holds a secret: %v", err)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`[{"name":"a","url":"https://x.example","secret":"` + secret + `","timeout":"1s"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("file")) {
			t.Skip("a file of any name is not ours to open")
		}
		hooks, err := ParseConfig(data)
		for _, h := range hooks {
			if err == nil && (h.MaxAttempts < 1 || h.Concurrency < 1 || h.Timeout <= 0 || len(h.Secret) < minSecret) {
				t.Errorf("%+v", h)
			}
		}
	})
}
