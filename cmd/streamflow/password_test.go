package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPasswordComesIntoTheURL(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("a/b@c:d e\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, url, want, fault string }{
		{"", "postgres://u@h/d", "postgres://u@h/d", ""},
		{file, "postgres://u@h:5432/d?sslmode=disable", "postgres://u:a%2Fb%40c%3Ad%20e@h:5432/d?sslmode=disable", ""},
		{file, "postgres://u:s3cret@h/d", "", "take one of them away"},
		{file, "host=h user=u", "", "postgres://USER@HOST/DATABASE"},
		{file, "postgres://h/d", "", "postgres://USER@HOST/DATABASE"},
		{file + "-not-there", "postgres://u@h/d", "", "DATABASE_PASSWORD_FILE"},
	} {
		got, err := passwordFlags{c.file}.into(c.url)
		if got != c.want || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: got %q, %v, want %q, %q", c.url, got, err, c.want, c.fault)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error tells the password: %v", c.url, err)
		}
	}
}

// What tells a container to listen everywhere tells its health check where to ask.
func TestHealthAsksOnLoopback(t *testing.T) {
	for _, c := range []struct {
		cmd  healthCmd
		want string
	}{
		{healthCmd{MetricsAddr: ":9100", HTTPAddr: ":8080"}, "http://127.0.0.1:9100/ready"},
		{healthCmd{HTTPAddr: "0.0.0.0:8080", Alive: true}, "http://127.0.0.1:8080/health"},
		{healthCmd{HTTPAddr: "[::]:8080"}, "http://127.0.0.1:8080/ready"},
		{healthCmd{MetricsAddr: "10.0.0.7:9100"}, "http://10.0.0.7:9100/ready"},
	} {
		if got := c.cmd.url(); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.cmd, got, c.want)
		}
	}
}
