package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed layout/*.tmpl
var layouts embed.FS

type functionsNewCmd struct {
	Name string `arg:"" help:"Name of the function: a-z, 0-9 and -, at most 32, a letter first."`
	Dir  string `help:"Directory of StreamFlow's source." default:"." type:"existingdir"`
}

// Help is shown by --help.
func (functionsNewCmd) Help() string {
	return `Writes functions/NAME/NAME.go, which counts ticks by minute, and its test, and adds the function to cmd/streamflow/registry.go. Change Step and the test, build, and start it: streamflow functions start NAME.`
}

// Run lays the function out and says what to do next.
func (c *functionsNewCmd) Run() error {
	files, err := layOut(c.Dir, c.Name)
	for _, f := range files {
		fmt.Println("written:", f)
	}
	if err != nil {
		return err
	}
	fmt.Printf(`
Try it:    go test ./functions/%[1]s
Change it: functions/%[1]s/%[1]s.go
Run it:    go tool task build && build/streamflow up, then build/streamflow functions start %[1]s
`, c.Name)
	return nil
}

var (
	functionName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	registryFile = filepath.Join("cmd", "streamflow", "registry.go")
)

// The lines of the registry behind which a new one goes.
const (
	importMark = "\t\"streamflow/functions/spread\"\n"
	entryMark  = "\town(spread.New),\n"
)

// layOut writes the files of a new function and returns their names.
func layOut(dir, name string) ([]string, error) {
	if !functionName.MatchString(name) {
		return nil, fmt.Errorf("name %q: want a letter, then a-z, 0-9 and -, at most 32 in all", name)
	}
	if e, err := lookUp(name); err == nil {
		return nil, fmt.Errorf("there is a function %s: %s", name, e.does)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "go.mod")); err != nil || !bytes.HasPrefix(data, []byte("module streamflow\n")) {
		return nil, fmt.Errorf("%s is not the source of StreamFlow (no go.mod of module streamflow): go there, or name it with --dir", dir)
	}
	room := filepath.Join(dir, "functions", name)
	if _, err := os.Stat(room); !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is there already", room)
	}
	names := struct{ Name, Package string }{name, strings.ReplaceAll(name, "-", "")}
	if err := os.MkdirAll(room, 0o755); err != nil {
		return nil, err
	}
	var written []string
	for _, l := range []struct{ layout, file string }{{"function.go.tmpl", name + ".go"}, {"function_test.go.tmpl", name + "_test.go"}} {
		var text bytes.Buffer
		t, err := template.ParseFS(layouts, "layout/"+l.layout)
		if err == nil {
			err = t.Execute(&text, names)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(room, l.file), text.Bytes(), 0o644)
		}
		if err != nil {
			return written, err
		}
		written = append(written, filepath.Join("functions", name, l.file))
	}
	if err := register(filepath.Join(dir, registryFile), name, names.Package); err != nil {
		return written, err
	}
	return append(written, registryFile), nil
}

// register adds a function to the registry, or says what to add.
func register(file, name, pkg string) error {
	imported, entry := fmt.Sprintf("\t%s \"streamflow/functions/%s\"\n", pkg, name), "\town("+pkg+".New),\n"
	if pkg == name {
		imported = fmt.Sprintf("\t\"streamflow/functions/%s\"\n", name)
	}
	text, err := os.ReadFile(file)
	if err == nil && (bytes.Count(text, []byte(importMark)) != 1 || bytes.Count(text, []byte(entryMark)) != 1) {
		err = errors.New("the lines of the example are not there")
	}
	if err == nil {
		text = bytes.Replace(text, []byte(importMark), []byte(importMark+imported), 1)
		text = bytes.Replace(text, []byte(entryMark), []byte(entryMark+entry), 1)
		text, err = format.Source(text) // which puts the imports in order
	}
	if err == nil {
		err = os.WriteFile(file, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: add the import %s and, to the registry, the line %s", file, err, strings.TrimSpace(imported), strings.TrimSpace(entry))
	}
	return nil
}
