package streamflow

import (
	"fmt"
	"strings"
)

// Markdown prints t as a page: a diagram for mermaid and tables of the stages
// and of the addresses.
func (t Topology) Markdown() string {
	var b strings.Builder
	b.WriteString("# Where does a tick go?\n\n" +
		"This page is printed from `Flow` in flow.go: `go test -run Flow . -update` writes it anew.\n\n")
	t.diagram(&b)
	t.stageTable(&b)
	for _, kind := range []struct {
		kind  Kind
		title string
	}{
		{KindTopic, "Kafka topics"},
		{KindStream, "JetStream streams"},
		{KindSubject, "Subjects"},
		{KindRequest, "Requests over NATS"},
		{KindHeader, "Headers"},
		{KindTable, "Tables"},
		{KindEndpoint, "Endpoints"},
		{KindBucket, "Key-value buckets"},
	} {
		t.addressTable(&b, kind.kind, kind.title)
	}
	return b.String()
}

func (t Topology) diagram(b *strings.Builder) {
	b.WriteString("```mermaid\nflowchart LR\n")
	for _, a := range t.Addresses {
		if !a.carries() {
			continue
		}
		open, end := "[", "]"
		if a.Kind == KindTable {
			open, end = "[(", ")]"
		}
		fmt.Fprintf(b, "  %s%s\"%s %s\"%s\n", node(a.Place), open, a.Kind, a.Name, end)
	}
	for _, s := range t.Stages {
		id := mermaid(s.Name)
		fmt.Fprintf(b, "  %s([\"%s\"])\n", id, s.Name)
		for _, p := range s.Reads {
			fmt.Fprintf(b, "  %s --> %s\n", node(p), id)
		}
		for _, p := range s.Writes {
			fmt.Fprintf(b, "  %s --> %s\n", id, node(p))
		}
	}
	b.WriteString("```\n")
}

// node names a place in the diagram.
func node(p Place) string { return mermaid(string(p.Kind) + "_" + p.Name) }

// mermaid leaves out what mermaid would read as part of an arrow or a path.
func mermaid(name string) string {
	return strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(name)
}

func (t Topology) stageTable(b *strings.Builder) {
	b.WriteString("\n## Stages\n\n" +
		"| stage | room | does | reads | writes | durable or group | position |\n|---|---|---|---|---|---|---|\n")
	for _, s := range t.Stages {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n",
			s.Name, code(s.Room), s.Does, places(s.Reads), places(s.Writes), code(s.Durable+s.Group), s.Position)
	}
}

func (t Topology) addressTable(b *strings.Builder, kind Kind, title string) {
	fmt.Fprintf(b, "\n## %s\n\n| name | meaning |\n|---|---|\n", title)
	for _, a := range t.Addresses {
		if a.Kind == kind {
			fmt.Fprintf(b, "| %s | %s |\n", code(a.Name), a.Meaning)
		}
	}
}

func places(list []Place) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = string(p.Kind) + " " + code(p.Name)
	}
	return strings.Join(texts, ", ")
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
