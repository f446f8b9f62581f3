package streamflow_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`(?: \\(([a-z/0-9.]+)\\))?")

// Every row of the table of threats names a test, and what docs/ call a test is
// one, in the room that they say.
func TestDocumentedTestsExist(t *testing.T) {
	rooms := make(map[string][]string) // by the name of a test
	for _, s := range sources(t) {
		if !s.test() {
			continue
		}
		text, err := os.ReadFile(s.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			rooms[m[1]] = append(rooms[m[1]], path.Dir(s.name))
		}
	}
	files, err := os.ReadDir("docs")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".md") {
			continue
		}
		text, err := os.ReadFile("docs/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testName.FindAllStringSubmatch(string(text), -1) {
			named++
			if in := rooms[m[1]]; len(in) == 0 || m[2] != "" && !slices.ContainsFunc(in, func(dir string) bool { return dir == m[2] }) {
				t.Errorf("docs/%s names %s in %q: it is in %q", f.Name(), m[1], m[2], in)
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d tests are named", named)
	}
	security, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(security), "| threat | what happens | test |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.Lines(table) {
		if !testName.MatchString(row) && !strings.Contains(row, ".spec.ts`") {
			t.Errorf("docs/security.md: no test in %s", row)
		}
	}
	if table == "" {
		t.Error("docs/security.md has no table of threats")
	}
}
