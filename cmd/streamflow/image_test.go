//go:build ops

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestImage does what infra/Dockerfile does, without Docker: its commands for the
// page and for the binary, each with the files that .dockerignore sends and COPY
// names. What they look for besides is not there.
func TestImage(t *testing.T) {
	sent := dockerContext(t)
	page, binary := stage(t, "page"), stage(t, "binary")

	if modules, err := filepath.Abs(repository("ui", "node_modules")); err != nil {
		t.Fatal(err)
	} else if err := os.Symlink(modules, filepath.Join(sent, "ui", "node_modules")); err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "ui") // COPY ui/ ./ is all that this stage sees
	if err := os.Rename(filepath.Join(sent, "ui"), alone); err != nil {
		t.Fatal(err)
	}
	shell(t, alone, lastOf(t, page, "RUN "))
	if err := os.Rename(alone, filepath.Join(sent, "ui")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(sent, "ui", "dist", "index.html")); err != nil {
		t.Fatal(err)
	}

	made := filepath.Join(t.TempDir(), "streamflow")
	// Without -trimpath and with cgo as it is here: else no dependency that is built
	// already would serve. release:binaries builds as the image does.
	build := strings.NewReplacer("/out/streamflow", made, " -trimpath", "").Replace(lastOf(t, binary, "go build"))
	shell(t, sent, build, "VERSION=1.2.3", "TARGETOS=", "TARGETARCH=")
	out, err := exec.Command(made, "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "streamflow 1.2.3 go") {
		t.Errorf("the image's version: %s, %v", out, err)
	}
}

// dockerContext copies what .dockerignore lets through.
func dockerContext(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	// As Docker reads it: the last line that names a file, or a directory above
	// it, decides; * and ? stand for all but a slash, ** for directories too.
	type rule struct {
		match *regexp.Regexp
		sends bool
	}
	var rules []rule
	for line := range strings.Lines(readRepository(t, ".dockerignore")) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		pattern, sends := strings.CutPrefix(line, "!")
		pattern = strings.NewReplacer(`\*\*/`, `(.*/)?`, `\*`, `[^/]*`, `\?`, `[^/]`).Replace(regexp.QuoteMeta(pattern))
		rules = append(rules, rule{regexp.MustCompile(`^` + pattern + `(/|$)`), sends})
	}
	files, err := exec.Command("git", "-C", repository(), "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for name := range strings.Lines(string(files)) {
		name = strings.TrimSpace(name)
		sent := true
		for _, r := range rules {
			if r.match.MatchString(name) {
				sent = r.sends
			}
		}
		text, err := os.ReadFile(repository(name))
		if !sent || os.IsNotExist(err) { // removed, and git does not know yet
			continue
		}
		to := filepath.Join(dir, name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// stage returns the lines of a stage of infra/Dockerfile, those that go on on the
// next one joined.
func stage(t *testing.T, name string) (lines []string) {
	t.Helper()
	text := strings.ReplaceAll(readRepository(t, "infra", "Dockerfile"), "\\\n", " ")
	in := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "FROM ") {
			in = strings.HasSuffix(strings.TrimSpace(line), " AS "+name)
		} else if in {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// lastOf returns the command of the last RUN that holds some words.
func lastOf(t *testing.T, lines []string, words string) (command string) {
	t.Helper()
	for _, line := range lines {
		if run, ok := strings.CutPrefix(line, "RUN "); ok && strings.Contains(line, words) {
			command = regexp.MustCompile(`--mount=\S+\s+`).ReplaceAllString(run, "")
		}
	}
	if command == "" {
		t.Fatalf("infra/Dockerfile has no RUN with %q: %q", words, lines)
	}
	return command
}

func shell(t *testing.T, dir, command string, env ...string) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", command)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}
