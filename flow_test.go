package streamflow

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/flow.md anew")

func TestFlowIsValid(t *testing.T) {
	if err := Flow.Validate(); err != nil {
		t.Error(err)
	}
	for _, s := range Flow.Stages {
		if info, err := os.Stat(s.Room); s.Room != "" && (err != nil || !info.IsDir()) {
			t.Errorf("stage %s: its room %s is not there", s.Name, s.Room)
		}
	}
}

func TestFlowPage(t *testing.T) {
	const file = "docs/flow.md"
	want := Flow.Markdown()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s is not what flow.go says (%v): run `go test -run Flow . -update`", file, err)
	}
}

// Every name of the address book must have its place in the topology: a
// constant that flow.go does not mention is one that nobody can find.
func TestFlowHasEveryAddress(t *testing.T) {
	mentioned := make(map[string]bool)
	ast.Inspect(parse(t, "flow.go"), func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			mentioned[id.Name] = true
		}
		return true
	})
	found := 0
	for _, decl := range parse(t, "subject.go").Decls {
		consts, ok := decl.(*ast.GenDecl)
		if !ok || consts.Tok != token.CONST {
			continue
		}
		for _, spec := range consts.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if found++; !mentioned[name.Name] {
					t.Errorf("subject.go: %s is not in flow.go: add it to a stage or to the addresses", name.Name)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("subject.go: only %d constants were found", found)
	}
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Validate must see what it promises to see.
func TestFlowFaultsAreFound(t *testing.T) {
	for want, change := range map[string]func(*Topology){
		"nobody writes it": func(f *Topology) { f.Stages[0].Writes = nil },
		"nobody reads it":  func(f *Topology) { f.Stages = f.Stages[:len(f.Stages)-1] },
		"durable archive-0 belongs to archive": func(f *Topology) {
			f.Stages[3].Durable = Durable(FunctionArchive, 0)
		},
		"name bridge belongs to bridge": func(f *Topology) { f.Stages[0].Name = "bridge" },
		"what it writes comes back": func(f *Topology) {
			f.Stages[0].Reads = []Place{{KindTopic, TopicDeadLetters}, {KindTable, TableTicks}}
			f.Stages[4].Writes = []Place{{KindTopic, TopicTicks}}
		},
		"is not among the addresses":          func(f *Topology) { f.Addresses = f.Addresses[1:] },
		"listed twice":                        func(f *Topology) { f.Addresses = append(f.Addresses, f.Addresses[0]) },
		"its name or its meaning":             func(f *Topology) { f.Addresses[4].Meaning = "" },
		"its name or what it does":            func(f *Topology) { f.Stages[2].Does = "" },
		"must keep its position with what it": func(f *Topology) { f.Stages[1].Position = "" },
	} {
		f := Topology{slices.Clone(Flow.Stages), slices.Clone(Flow.Addresses)}
		change(&f)
		if err := f.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
