package ingest

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// chain finds the files that a path was, in the order in which they were
// written: rotation renames or copies what is full, and the path begins anew.
type chain struct {
	path    string
	pattern string   // a glob of the names that rotation gives; "" is the path with . or - and more behind it
	not     []string // names that are ours
}

// sibling is a file that was at the path, or a copy of it.
type sibling struct {
	name string
	mark Mark
}

// packed are the endings of files that rotation has compressed. What they hold
// cannot be found by its offset.
var packed = []string{".gz", ".zst", ".bz2", ".xz", ".lz4", ".zip"}

// list returns the rotated files, the oldest first. It looks until it has seen
// the same twice: a file that is renamed while it looks may hide.
func (c *chain) list() ([]sibling, error) {
	before, err := c.look()
	for range 20 {
		if err != nil {
			return nil, err
		}
		var again []sibling
		if again, err = c.look(); err == nil && slices.EqualFunc(before, again, func(a, b sibling) bool {
			return a.name == b.name && a.mark.same(b.mark)
		}) {
			return again, nil
		}
		before = again
	}
	return before, err
}

func (c *chain) names() ([]string, error) {
	if c.pattern != "" {
		return filepath.Glob(c.pattern)
	}
	dir, base := filepath.Split(c.path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	var names []string
	for _, e := range entries {
		if more, ok := strings.CutPrefix(e.Name(), base); ok && len(more) > 1 && (more[0] == '.' || more[0] == '-') {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, err
}

func (c *chain) look() ([]sibling, error) {
	names, err := c.names()
	if err != nil {
		return nil, err
	}
	current, _ := os.Stat(c.path) // it may be away for the moment
	var all []sibling
	for _, name := range names {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // renamed since
		}
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() || slices.Contains(c.not, name) || slices.Contains(packed, filepath.Ext(name)) ||
			name == c.path || current != nil && os.SameFile(info, current) {
			continue
		}
		all = append(all, sibling{name, markOf(info)})
	}
	slices.SortFunc(all, func(a, b sibling) int {
		return cmp.Or(cmp.Compare(a.mark.Modified, b.mark.Modified), byName(a.name, b.name))
	})
	return all, nil
}

// byName orders what was written within one tick of the file system's clock:
// x.2 is older than x.1, and x-0102 is older than x-0103.
func byName(a, b string) int {
	numberA, errA := strconv.Atoi(strings.TrimPrefix(filepath.Ext(a), "."))
	numberB, errB := strconv.Atoi(strings.TrimPrefix(filepath.Ext(b), "."))
	if errA == nil && errB == nil {
		return cmp.Compare(numberB, numberA)
	}
	return strings.Compare(a, b)
}

// newest is the mark of the newest rotated file, zero if there is none.
func (c *chain) newest() (Mark, error) {
	all, err := c.list()
	if err != nil || len(all) == 0 {
		return Mark{}, err
	}
	return all[len(all)-1].mark, nil
}

// resume opens the file in which p is, or what follows if it is gone, which lost
// says: then nobody knows what it still held. A nil source: nothing is there yet.
func (c *chain) resume(p Position) (s *source, lost bool, err error) {
	if p.Offset == 0 {
		s, err = c.after(p.File, nil)
		return s, false, err
	}
	if s, err := c.open(c.path, p, func(m Mark) bool { return m.same(p.File) }, false); s != nil || err != nil {
		return s, false, err
	}
	all, err := c.list()
	if err != nil {
		return nil, false, err
	}
	for _, how := range []func(Mark) bool{
		func(m Mark) bool { return m.same(p.File) },
		func(m Mark) bool { return m.Modified >= p.File.Modified }, // a copy; older ones are read
	} {
		for _, f := range all {
			if s, err := c.open(f.name, p, how, true); s != nil || err != nil {
				return s, false, err
			}
		}
	}
	// A copy that was put in the place of the original.
	if s, err := c.open(c.path, p, func(Mark) bool { return true }, false); s != nil || err != nil {
		return s, false, err
	}
	s, err = c.after(Mark{Modified: p.File.Modified}, &p)
	return s, true, err
}

// open opens a file if it is the one that is meant and holds what p has read.
func (c *chain) open(name string, p Position, meant func(Mark) bool, rotated bool) (*source, error) {
	s, err := openFile(name, Position{})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer s.close()
	if !meant(s.mark) || !p.reaches(s.file) {
		return nil, nil
	}
	at, err := openFile(name, p)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(stat(at.file), stat(s.file)) {
		if at != nil {
			at.close()
		}
		return nil, nil // renamed meanwhile: the caller comes again
	}
	if at != nil {
		at.rotated = rotated
	}
	return at, err
}

func stat(f *os.File) os.FileInfo { info, _ := f.Stat(); return info }

// after opens the first file that was written behind the one of mark. Copies of
// the file of past, if it is not nil, are left out: they were read.
func (c *chain) after(mark Mark, past *Position) (*source, error) {
	for range 20 {
		first, err := c.behind(mark, past)
		if err != nil {
			return nil, err
		}
		name := c.path
		if first != nil {
			name = first.name
		}
		s, err := openFile(name, Position{})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		// Rotation may have come between: then another one is the first.
		again, err := c.behind(mark, past)
		if err != nil {
			return nil, err
		}
		calm := (first == nil) == (again == nil) && (first == nil || first.mark.same(again.mark) && first.name == again.name)
		if s != nil && calm && (first == nil || s.mark.same(first.mark) || first.mark.Inode == 0) {
			s.rotated = first != nil
			return s, nil
		}
		if s != nil {
			s.close()
		}
		if calm && first == nil {
			return nil, nil
		}
	}
	return nil, nil
}

func (c *chain) behind(mark Mark, past *Position) (*sibling, error) {
	all, err := c.list()
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(f sibling) bool { return f.mark.same(mark) && f.mark.Modified >= mark.Modified }); i >= 0 {
		all = all[i+1:]
	} else {
		all = slices.DeleteFunc(all, func(f sibling) bool { return f.mark.Modified <= mark.Modified })
	}
	for i, f := range all {
		if past == nil || !isCopy(f.name, *past) {
			return &all[i], nil
		}
	}
	return nil, nil
}

func isCopy(name string, p Position) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	return p.copies(f)
}
