package streamflow_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go/ast"
)

// Every environment variable of a command stands in the README's table of
// settings, with its default, and the table holds no other.
func TestReadmeHasEverySetting(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Settings\n")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := make(map[string]string) // by variable
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 {
			continue
		}
		for _, name := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(cells[2], -1) {
			rows[name[1]] = line
		}
	}
	known := make(map[string]bool)
	for _, tag := range settings(t) {
		for name := range strings.SplitSeq(tag.Get("env"), ",") {
			known[name] = true
			row, ok := rows[name]
			if !ok {
				t.Errorf("README.md: %s is not in the table of settings", name)
				continue
			}
			value := tag.Get("default")
			if value != "" && !strings.Contains(value, "://") && !strings.Contains(value, "${") && !strings.Contains(row, "`"+value+"`") {
				t.Errorf("README.md: the default of %s is %s, the table says otherwise: %s", name, value, row)
			}
		}
	}
	for name := range rows {
		if !known[name] {
			t.Errorf("README.md: %s is no setting of any command", name)
		}
	}
}

// settings returns the tags of all fields in cmd/ that name a variable; hidden
// ones are left out.
func settings(t *testing.T) (tags []reflect.StructTag) {
	t.Helper()
	for _, s := range sources(t) {
		if s.room != "cmd" || s.test() || filepath.Ext(s.name) != ".go" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if f, ok := n.(*ast.Field); ok && f.Tag != nil {
				text, err := strconv.Unquote(f.Tag.Value)
				if err != nil {
					t.Fatal(err)
				}
				tag := reflect.StructTag(text)
				if _, hidden := tag.Lookup("hidden"); tag.Get("env") != "" && !hidden {
					tags = append(tags, tag)
				}
			}
			return true
		})
	}
	if len(tags) < 10 {
		t.Fatalf("only %d settings were found", len(tags))
	}
	return tags
}
