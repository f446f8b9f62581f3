package backup

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a backup of two pieces.
func write(t *testing.T, dir string) *Manifest {
	t.Helper()
	w, err := Create(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/one.zst", "b/two.zst"} {
		_, err := w.Write(name, func(w io.Writer) (int64, error) {
			n, err := io.WriteString(w, strings.Repeat(name, 1000))
			return int64(n), err
		}, func() any { return map[string]string{"name": name} })
		if err != nil {
			t.Fatal(err)
		}
	}
	m, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func check(t *testing.T, dir string) error {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		return err
	}
	return r.Check(t.Context(), func(int64) {})
}

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "backup")
	m := write(t, dir)
	if err := check(t, dir); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Pieces) != 2 || r.Sum != m.Sum || len(r.Below("a")) != 1 || r.Size() != m.Size() {
		t.Fatalf("%+v", r.Manifest)
	}
	var about map[string]string
	err = r.Read(r.Pieces[1], &about, func(in io.Reader) error {
		data, err := io.ReadAll(in)
		if string(data) != strings.Repeat("b/two.zst", 1000) || int64(len(data)) != r.Pieces[1].Count {
			t.Errorf("%d bytes: %.40s", len(data), data)
		}
		return err
	})
	if err != nil || about["name"] != "b/two.zst" {
		t.Errorf("%v, %v", about, err)
	}
	if _, err := Create(dir, "test"); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a second backup in the same place: %v", err)
	}
}

// TestDamage: whatever was done to a backup, it is refused, and what is damaged
// is named.
func TestDamage(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"not finished":        {func(dir string) error { return os.Remove(filepath.Join(dir, "manifest.json")) }, "manifest.json"},
		"a piece is missing":  {func(dir string) error { return os.Remove(filepath.Join(dir, "b/two.zst")) }, "two.zst: it is missing"},
		"a piece is cut off":  {func(dir string) error { return os.Truncate(filepath.Join(dir, "a/one.zst"), 10) }, "one.zst: it was cut off"},
		"a piece is changed":  {func(dir string) error { return flip(filepath.Join(dir, "a/one.zst"), 12) }, "one.zst: it was changed"},
		"a piece has grown":   {func(dir string) error { return add(filepath.Join(dir, "a/one.zst")) }, "one.zst: it was changed"},
		"the manifest is not": {func(dir string) error { return os.Truncate(filepath.Join(dir, "manifest.json"), 40) }, "manifest.json cannot be read"},
		"the manifest is changed": {func(dir string) error {
			return replace(filepath.Join(dir, "manifest.json"), `"count": 9000`, `"count": 9001`)
		}, "manifest.json was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir)
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			err := check(t, dir)
			if !errors.Is(err, ErrNotWhole) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func flip(path string, at int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[at] ^= 1
	return os.WriteFile(path, data, 0o600)
}

func add(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("more")
	return errors.Join(err, f.Close())
}

func replace(path, from, to string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed := strings.Replace(string(data), from, to, 1)
	if changed == string(data) {
		return errors.New("nothing to replace")
	}
	return os.WriteFile(path, []byte(changed), 0o600)
}

func FuzzManifest(f *testing.F) {
	dir := f.TempDir()
	w, err := Create(dir, "test")
	if err == nil {
		_, err = w.Finish()
	}
	if err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1,"pieces":[{"name":"../x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(data)
		if err != nil {
			return
		}
		for _, p := range m.Pieces {
			if !filepath.IsLocal(p.Name) {
				t.Errorf("%q leads out of the backup", p.Name)
			}
		}
	})
}
