package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflowStep is a step of a job of GitHub Actions.
type workflowStep struct {
	Uses, Run string
	Env       map[string]string
}

type workflow struct {
	Jobs map[string]struct {
		RunsOn  string `yaml:"runs-on"`
		Timeout int    `yaml:"timeout-minutes"`
		Steps   []workflowStep
	}
}

func tasks(t *testing.T) map[string]struct{ Internal bool } {
	t.Helper()
	var file struct {
		Tasks map[string]struct{ Internal bool }
	}
	if err := yaml.Unmarshal([]byte(readRepository(t, "Taskfile.yml")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Tasks
}

var (
	taskCall = regexp.MustCompile(`go tool task ([a-z][a-z0-9:-]*)`)
	// foreign are the commands of workflows that are no task.
	foreign  = regexp.MustCompile(`^(go mod tidy -diff|sudo apt-get |gh release create )`)
	version3 = regexp.MustCompile(`^[\w-]+/[\w-]+@v\d+\.\d+\.\d+$`)
)

// Every task that a workflow, the script of CI or a page names is there, every
// action has a version in full, every job ends some time.
func TestWorkflows(t *testing.T) {
	have := tasks(t)
	check := func(where, text string) (n int) {
		for _, m := range taskCall.FindAllStringSubmatch(text, -1) {
			n++
			if task, ok := have[m[1]]; !ok || task.Internal {
				t.Errorf("%s: there is no task %s in Taskfile.yml", where, m[1])
			}
		}
		return n
	}
	run := make(map[string][]string) // what the workflows do, by file
	for _, file := range []string{"ci.yml", "release.yml"} {
		var w workflow
		if err := yaml.Unmarshal([]byte(readRepository(t, ".github", "workflows", file)), &w); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for name, job := range w.Jobs {
			where := file + ", " + name
			if job.Timeout == 0 || job.RunsOn == "" || strings.HasSuffix(job.RunsOn, "-latest") {
				t.Errorf("%s: it runs on %q for %d minutes at most: want a version and a limit", where, job.RunsOn, job.Timeout)
			}
			for _, s := range job.Steps {
				if s.Uses != "" && !version3.MatchString(s.Uses) {
					t.Errorf("%s: %s has no version in full", where, s.Uses)
				}
				for line := range strings.Lines(s.Run) {
					line = strings.TrimSpace(line)
					if check(where, line) == 0 && !foreign.MatchString(line) {
						t.Errorf("%s: %q is no task, and not among the commands that are known", where, line)
					}
					run[file] = append(run[file], line)
				}
			}
		}
	}
	for _, want := range []string{"go tool task test", "go tool task lint", "go tool task fuzz", "go tool task ui:e2e", "go tool task test:ops", "go tool task test:kafka", "go tool task test:cluster", "go tool task test:compose", "go tool task test:kubernetes"} {
		if !slices.Contains(run["ci.yml"], want) {
			t.Errorf("ci.yml does not run `%s`", want)
		}
	}
	pages := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ".ci/run"}
	files, err := os.ReadDir(repository("docs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".md") {
			pages = append(pages, "docs/"+f.Name())
		}
	}
	named := 0
	for _, page := range pages {
		named += check(page, readRepository(t, strings.Split(page, "/")...))
	}
	if named < 10 {
		t.Errorf("only %d tasks are named in pages", named)
	}
}

// What CI runs, this machine runs too: every task of ci.yml that tests is one of
// .ci/run.
func TestWorkflowsAreThoseOfTheScript(t *testing.T) {
	script := readRepository(t, ".ci", "run")
	ci := readRepository(t, ".github", "workflows", "ci.yml")
	for _, m := range taskCall.FindAllStringSubmatch(script, -1) {
		if !strings.Contains(ci, "run: "+m[0]+"\n") {
			t.Errorf(".ci/run does `%s`, ci.yml does not", m[0])
		}
	}
	var bot struct {
		Updates []struct{ Directory string }
	}
	if err := yaml.Unmarshal([]byte(readRepository(t, ".github", "dependabot.yml")), &bot); err != nil || len(bot.Updates) < 4 {
		t.Fatalf("dependabot.yml: %+v, %v", bot, err)
	}
	for _, u := range bot.Updates {
		if _, err := os.Stat(repository(strings.TrimPrefix(u.Directory, "/"))); err != nil {
			t.Errorf("dependabot.yml: %v", err)
		}
	}
}
