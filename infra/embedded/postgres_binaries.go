package embedded

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// binaries are the programs of one PostgreSQL.
type binaries struct {
	dir          string
	version      string
	major, minor int
}

// finder finds programs: on the machine, then by fetching them.
type finder struct {
	dirs  func() []string                                 // where to look
	fetch func(context.Context, *cluster) (string, error) // downloads, returns the directory
	major int                                             // what fetch gets
}

func machineBinaries() finder {
	return finder{dirs: machineDirs, fetch: download, major: downloadMajor}
}

// binaryPatterns are where packages put the programs: Debian, Red Hat (PGDG,
// own), Alpine, Arch, Homebrew on both kinds of Mac, MacPorts, Postgres.app.
var binaryPatterns = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/libexec/postgresql*",
	"/usr/lib64/pgsql/bin",
	"/usr/bin",
	"/usr/local/pgsql/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/opt/local/lib/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

func machineDirs() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range binaryPatterns {
		if found, err := filepath.Glob(pattern); err == nil {
			dirs = append(dirs, found...)
		}
	}
	return dirs
}

// newest is the newest PostgreSQL of the machine, else the fetched one.
func (f finder) newest(ctx context.Context, cl *cluster) (binaries, error) {
	if all := f.usable(cl); len(all) > 0 {
		return all[0], nil
	}
	return f.fetched(ctx, cl)
}

// matching is the newest PostgreSQL that can run a cluster made by major.
func (f finder) matching(ctx context.Context, cl *cluster, major string) (binaries, error) {
	all := f.usable(cl)
	var have []string
	for _, b := range all {
		if strconv.Itoa(b.major) == major {
			return b, nil
		}
		have = append(have, b.version)
	}
	if strconv.Itoa(f.major) == major {
		return f.fetched(ctx, cl)
	}
	what := "this machine has none"
	if len(have) > 0 {
		what = "this machine has " + strings.Join(have, ", ")
	}
	return binaries{}, fmt.Errorf("the cluster %s was made by PostgreSQL %s, %s: install PostgreSQL %[2]s, "+
		"or move the cluster over with pg_upgrade, or choose another directory with --data-dir, or set DATABASE_URL",
		cl.dir, major, what)
}

func (f finder) fetched(ctx context.Context, cl *cluster) (binaries, error) {
	dir, err := f.fetch(ctx, cl)
	if err == nil {
		var b binaries
		if b, err = inspect(dir, cl.owner); err == nil {
			return b, nil
		}
	}
	return binaries{}, fmt.Errorf("%w: there is none on this machine, and downloading one failed (%w): "+
		"install PostgreSQL (apt install postgresql, dnf install postgresql-server, brew install postgresql), "+
		"or set DATABASE_URL to one that runs", ErrNoPostgres, err)
}

// usable are the PostgreSQLs of the machine that the owner can run, newest
// first.
func (f finder) usable(cl *cluster) []binaries {
	var all []binaries
	seen := make(map[string]bool)
	for _, dir := range f.dirs() {
		if path, err := filepath.EvalSymlinks(dir); err == nil {
			dir = path
		}
		if seen[dir] || !hasPrograms(dir) {
			continue
		}
		seen[dir] = true
		b, err := inspect(dir, cl.owner)
		if err != nil {
			cl.log.Debug("passing over a PostgreSQL", "dir", dir, "err", err)
			continue
		}
		all = append(all, b)
	}
	slices.SortStableFunc(all, func(a, b binaries) int {
		return cmp.Or(cmp.Compare(b.major, a.major), cmp.Compare(b.minor, a.minor))
	})
	return all
}

func hasPrograms(dir string) bool {
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) ((\d+)(?:\.(\d+))?\S*)`)

// inspect asks the programs in dir for their version, as o.
func inspect(dir string, o owner) (binaries, error) {
	out, err := o.command(filepath.Join(dir, "postgres"), "--version").CombinedOutput()
	if err != nil {
		return binaries{}, fmt.Errorf("user %s cannot run %s: %w %s", o.name, filepath.Join(dir, "postgres"), err, out)
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return binaries{}, fmt.Errorf("%s has no version in %q", dir, out)
	}
	major, err := strconv.Atoi(string(m[2]))
	if err != nil {
		return binaries{}, err
	}
	minor, _ := strconv.Atoi(string(m[3])) // none in a beta, which is older
	return binaries{dir: dir, version: string(m[1]), major: major, minor: minor}, nil
}

// hasLibrary reports whether the server can preload the library.
func (b binaries) hasLibrary(name string) bool {
	dirs := []string{filepath.Join(b.dir, "../lib"), filepath.Join(b.dir, "../lib/postgresql")}
	if out, err := exec.Command(filepath.Join(b.dir, "pg_config"), "--pkglibdir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, dir := range dirs {
		for _, ext := range []string{".so", ".dylib"} {
			if _, err := os.Stat(filepath.Join(dir, name+ext)); err == nil {
				return true
			}
		}
	}
	return false
}
