package prometheus_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every alert has a test of its own, and a paragraph in the run book.
func TestAlertsAreExplained(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	rules, tests, book := read("rules.yml"), read("rules_test.yml"), read("../../docs/operations.md")
	alerts := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	if len(alerts) < 15 {
		t.Fatalf("only %d alerts were found", len(alerts))
	}
	for _, alert := range alerts {
		name := alert[1]
		if strings.Count(tests, "alertname: "+name) != 2 {
			t.Errorf("rules_test.yml: want two tests of %s: when it is told, and when not", name)
		}
		if !strings.Contains(book, "\n### "+name+"\n") {
			t.Errorf("docs/operations.md has nothing about alert %s", name)
		}
		if !strings.Contains(rules, `runbook: "docs/operations.md#`+strings.ToLower(name)+`"`) {
			t.Errorf("rules.yml: %s does not name its place in the run book", name)
		}
	}
}
