package streamflow_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "streamflow"

// The plan of the house: which rooms of ours a room may import. A room holds
// all directories below it that have no line of their own. Whatever has no line
// here is no room.
var plan = map[string][]string{
	".":                       {},
	"bridge":                  {"."},
	"functions":               {"."},
	"functions/alerts":        {".", "functions", "functions/window", "functions/candles", "functions/formula"},
	"functions/archive":       {".", "functions"},
	"functions/buckets":       {".", "functions"},
	"functions/candles":       {".", "functions", "functions/window"},
	"functions/fleet":         {".", "functions"},
	"functions/formula":       {"."},
	"functions/indicators":    {".", "functions", "functions/window", "functions/candles", "functions/formula", "functions/coder"},
	"functions/logins":        {".", "functions", "functions/window", "functions/coder"},
	"functions/notify":        {".", "functions"},
	"functions/window":        {".", "functions/coder"},
	"api":                     {".", "api/live", "api/guard"},
	"api/accept":              {},
	"api/guard":               {".", "api/accept"},
	"api/live":                {"."},
	"ui":                      {"api/accept"},
	"infra/backup":            {},
	"infra/embedded":          {".", "infra/postgres/roles"},
	"infra/ingest":            {"."},
	"infra/jetstream":         {".", "infra/secure"},
	"infra/kafka":             {".", "infra/secure"},
	"infra/kafka/kafkatest":   {".", "infra/kafka"},
	"infra/k8s":               {}, // tests of what is configured there
	"infra/parquet":           {"."},
	"infra/postgres":          {"."},
	"infra/postgres/roles":    {}, // of a closed database, embedded or not
	"infra/prometheus":        {}, // likewise
	"infra/schemas":           {".", "infra/secure"},
	"infra/secure":            {},
	"infra/secure/securetest": {"infra/secure"},
	"infra/trace":             {"."},
	"infra/simulate":          {"."},
	"cmd":                     {"."},
	"docs/examples":           {}, // clients, as others write them
}

// every room but itself may be joined here.
const joiner = "cmd"

// helpers are for tests: no other file may import them.
var helpers = []string{"infra/kafka/kafkatest", "infra/secure/securetest"}

// vendors are named in these rooms only. What is not listed is not to be had.
var vendors = map[string][]string{
	"github.com/twmb/franz-go":            {"bridge", "infra/kafka", "infra/kafka/kafkatest", "infra/schemas", "infra/embedded", "cmd"},
	"github.com/twmb/avro":                {"infra/schemas"},
	"github.com/bufbuild/protocompile":    {"infra/schemas"},
	"google.golang.org/protobuf":          {"infra/schemas"},
	"github.com/nats-io":                  {"infra/jetstream", "infra/embedded"},
	"github.com/jackc/pgx":                {"infra/postgres", "infra/postgres/roles", "infra/embedded"},
	"github.com/fergusstrange":            {"infra/embedded"},
	"github.com/danielgtaylor/huma":       {"api"},
	"github.com/olahol/melody":            {"api/live"},
	"github.com/gorilla/websocket":        {"api/live", "cmd", "docs/examples"}, // melody's; in cmd the benchmark's client
	"github.com/klauspost/compress":       {"api/guard", "infra/backup"},
	"github.com/parquet-go/parquet-go":    {"infra/parquet"},
	"github.com/alecthomas/kong":          {"cmd"},
	"github.com/prometheus/client_golang": {"bridge", "functions", "api", "cmd"},
	"go.opentelemetry.io":                 {"infra/trace"},
	"golang.org/x/sync":                   {"bridge", "functions", "api", "infra", "cmd"},
	"golang.org/x/sys":                    {"infra/embedded"},
	"golang.org/x/term":                   {"cmd"},
}

// apart are the rooms that meet at subjects and tables and nowhere else, not
// even in tests.
var apart = []string{"bridge", "functions", "api"}

const (
	maxFileLines     = 400
	maxFunctionLines = 70
)

// source is one Go file of the house.
type source struct {
	name  string
	room  string
	lines int
	fset  *token.FileSet
	file  *ast.File
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

func TestDoors(t *testing.T) {
	for _, s := range sources(t) {
		if s.room == "" {
			t.Errorf("%s: %s is no room of the house: add it to the plan in arch_test.go, or move the file", s.name, path.Dir(s.name))
			continue
		}
		for _, spec := range s.file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if fault := door(s, imported); fault != "" {
				t.Errorf("%s imports %s: %s", s.name, imported, fault)
			}
		}
	}
}

// door returns the rule that forbids an import, or "".
func door(s source, imported string) string {
	if ours, ok := strings.CutPrefix(imported+"/", module+"/"); ok {
		return inner(s, roomOf(path.Join(".", ours)))
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	if s.test() && s.room != "." {
		return ""
	}
	for vendor, rooms := range vendors {
		if imported != vendor && !strings.HasPrefix(imported, vendor+"/") {
			continue
		}
		if !slices.ContainsFunc(rooms, func(room string) bool { return within(s.room, room) }) {
			return vendor + " is named in " + strings.Join(rooms, ", ") + " only"
		}
		return ""
	}
	if s.room == "." {
		return "the root imports the standard library only"
	}
	return "this vendor is not on the plan: add it to arch_test.go with its rooms, or do without"
}

// inner judges a door between two rooms of ours.
func inner(s source, to string) string {
	if to == "" {
		return "there is no such room"
	}
	if within(s.room, to) && to != "." || s.room == to || slices.Contains(plan[s.room], to) {
		return ""
	}
	for _, a := range apart {
		for _, b := range apart {
			if a != b && within(s.room, a) && within(to, b) {
				return a + " and " + b + " meet at subjects and tables, and never import each other"
			}
		}
	}
	switch {
	case s.test() && s.room != ".":
		return ""
	case s.room == ".":
		return "the root imports the standard library only"
	case slices.Contains(helpers, to):
		return to + " is for tests"
	case within(s.room, joiner):
		return ""
	case within(s.room, "infra") && within(to, "infra"):
		return "the rooms of infra do not import each other"
	}
	return "only " + joiner + " joins rooms: declare the interface that is needed, and let infra satisfy it"
}

// within reports whether a room is another one or below it.
func within(room, other string) bool { return room == other || strings.HasPrefix(room, other+"/") }

// roomOf returns the room of a directory: the nearest one above it that has a
// line in the plan; "" if there is none.
func roomOf(dir string) string {
	for d := dir; d != "."; d = path.Dir(d) {
		if _, ok := plan[d]; ok {
			return d
		}
	}
	if dir == "." {
		return "."
	}
	return ""
}

func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines, the limit is %d: part it", s.name, s.lines, maxFileLines)
		}
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			first := s.fset.Position(f.Pos()).Line
			if n := s.fset.Position(f.End()).Line - first + 1; n > maxFunctionLines {
				t.Errorf("%s:%d: function %s has %d lines, the limit is %d: part it", s.name, first, f.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

// Every exported name says what it is for.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() || s.file.Name.Name == "main" {
			continue
		}
		report := func(name *ast.Ident, docs ...*ast.CommentGroup) {
			if name.IsExported() && !slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d != nil }) {
				t.Errorf("%s:%d: %s is exported and has no comment", s.name, s.fset.Position(name.Pos()).Line, name.Name)
			}
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil || receiver(d).IsExported() && d.Name.Name != "Error" {
					report(d.Name, d.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						report(spec.Name, d.Doc, spec.Doc, spec.Comment)
					case *ast.ValueSpec:
						report(spec.Names[0], d.Doc, spec.Doc, spec.Comment)
					}
				}
			}
		}
	}
}

// receiver returns the name of a method's type.
func receiver(f *ast.FuncDecl) *ast.Ident {
	var name *ast.Ident
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == nil {
			name = id
		}
		return name == nil
	})
	return name
}

// sources reads all Go files, whatever their build tags.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "data" || base == "build") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(base, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		s := source{name: filepath.ToSlash(name), lines: bytes.Count(text, []byte("\n")), fset: token.NewFileSet()}
		s.room = roomOf(path.Dir(s.name))
		s.file, err = parser.ParseFile(s.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		all = append(all, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d Go files were found", len(all))
	}
	return all
}

// The rules must bite.
func TestDoorsAreGuarded(t *testing.T) {
	for _, c := range []struct {
		file, imported string
		open           bool
	}{
		{"tick.go", "encoding/json", true},
		{"tick.go", "golang.org/x/sync/errgroup", false},
		{"tick.go", "streamflow/bridge", false},
		{"tick_test.go", "streamflow/infra/embedded", false},
		{"bridge/bridge.go", "streamflow", true},
		{"bridge/bridge.go", "github.com/twmb/franz-go/pkg/kgo", true},
		{"bridge/bridge.go", "github.com/nats-io/nats.go", false},
		{"bridge/bridge.go", "streamflow/infra/kafka", false},
		{"bridge/bridge_test.go", "streamflow/infra/embedded", true},
		{"bridge/bridge_test.go", "streamflow/functions", false},
		{"bridge/x/x.go", "streamflow/bridge", true},
		{"functions/archive/archive.go", "streamflow/functions", true},
		{"functions/runner.go", "streamflow/functions/archive", false},
		{"functions/archive/archive.go", "streamflow/api", false},
		{"functions/archive/archive.go", "github.com/jackc/pgx/v5", false},
		{"api/server.go", "github.com/danielgtaylor/huma/v2", true},
		{"api/server.go", "github.com/nats-io/nats.go", false},
		{"api/server.go", "streamflow/ui", false},
		{"api/server.go", "streamflow/api/live", true},
		{"api/server.go", "github.com/olahol/melody", false},
		{"api/live/socket.go", "github.com/olahol/melody", true},
		{"ui/ui.go", "streamflow", false},
		{"infra/jetstream/batch.go", "github.com/nats-io/nats.go", true},
		{"infra/jetstream/batch.go", "streamflow/infra/kafka", false},
		{"infra/jetstream/batch.go", "streamflow/bridge", false},
		{"infra/jetstream/batch_test.go", "streamflow/infra/embedded", true},
		{"infra/kafka/topics.go", "streamflow/infra/kafka/kafkatest", false},
		{"infra/kafka/topics_test.go", "streamflow/infra/kafka/kafkatest", true},
		{"cmd/streamflow/up.go", "streamflow/infra/postgres", true},
		{"cmd/streamflow/up.go", "streamflow/infra/kafka/kafkatest", false},
		{"cmd/streamflow/up.go", "github.com/jackc/pgx/v5", false},
		{"cmd/streamflow/up.go", "github.com/spf13/cobra", false},
		{"cmd/streamflow/up.go", "streamflow/attic", false},
	} {
		if fault := door(source{name: c.file, room: roomOf(path.Dir(c.file))}, c.imported); (fault == "") != c.open {
			t.Errorf("%s imports %s: open %v, want %v (%s)", c.file, c.imported, fault == "", c.open, fault)
		}
	}
	for _, dir := range []string{"attic", "infra", "infra/redis", "attic/bridge"} {
		if room := roomOf(dir); room != "" {
			t.Errorf("%s is taken for room %s", dir, room)
		}
	}
}
