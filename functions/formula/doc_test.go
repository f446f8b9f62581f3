package formula

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table into docs/indicators.md")

const (
	docs     = "../../docs/indicators.md"
	tableTop = "<!-- formulas: go test ./functions/formula -run Docs -update -->\n"
	tableEnd = "<!-- end of formulas -->\n"
)

// docs/indicators.md says what the code says.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), tableTop)
	_, tail, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", docs)
	}
	want := head + tableTop + "\n" + formulas() + "\n" + tableEnd + tail
	if string(data) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the formulas say: go test ./functions/formula -run Docs -update", docs)
	}
	if err := os.WriteFile(docs, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func formulas() string {
	var b strings.Builder
	b.WriteString("| spec, with the defaults | values | formula | seeding | bars until there is a value | unit |\n|---|---|---|---|---|---|\n")
	for _, k := range kinds {
		s := k.spec(defaults(k))
		var names []string
		for _, n := range s.names {
			names = append(names, "`"+n+"`")
		}
		if k.main != "" {
			names[0] += " (" + k.main + ")"
		}
		cells := []string{"`" + s.text + "`" + params(k), strings.Join(names, " "), k.Title + ": " + k.Formula, k.Seed, k.warmup, k.Unit}
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	b.WriteString("\nSources:\n\n")
	for _, k := range kinds {
		b.WriteString("- " + k.Name + ": " + k.Source + "\n")
	}
	return b.String()
}

func defaults(k *Kind) []float64 {
	p, _ := k.read(nil)
	return p
}

// params is " n 1 to 1000, ...".
func params(k *Kind) string {
	var all []string
	for _, p := range k.Params {
		all = append(all, p.Name+" "+number(p.Min)+" to "+number(p.Max))
	}
	if len(all) == 0 {
		return ""
	}
	return "; " + strings.Join(all, ", ")
}
