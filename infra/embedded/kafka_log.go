package embedded

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// kafkaLog knows which files of kfake's data directory have grown. kfake only
// appends, and begins new segments; what it replaces (its *.json, a log that it
// makes shorter) it flushes itself.
//
// It looks before every answer, at every partition, so a look must be cheap: to
// ask for the size of an open file is a fraction of finding it by its path. The
// newest segments and their directories stay open therefore, until names in the
// directory above have changed: another file may have the name by then.
type kafkaLog struct {
	states [2]grower // of producers and of groups
	topics folder
	parts  []*partLog
	paths  []string
}

func newKafkaLog(dir string) kafkaLog {
	return kafkaLog{
		states: [2]grower{{path: filepath.Join(dir, "pids.log")}, {path: filepath.Join(dir, "groups.log")}},
		topics: folder{path: filepath.Join(dir, "partitions")},
	}
}

// grower is a file that is appended to.
type grower struct {
	path string
	size int64 // when it was looked at last
	handle
}

// length is how long the file is now; gone is one that is not there.
func (g *grower) length(keep bool) (size int64, gone bool, err error) {
	if file := g.open(g.path, keep); file != nil {
		size, err = file.Seek(0, io.SeekEnd)
		return size, false, err
	}
	info, err := os.Stat(g.path)
	if err != nil {
		return 0, true, unlessGone(err)
	}
	return info.Size(), false, nil
}

// handle is a file that may be kept open.
type handle struct{ file *os.File }

// open returns the file, nil if it is not to be kept open here, or cannot be.
func (h *handle) open(path string, keep bool) *os.File {
	if !keep || !mayKeepOpen {
		h.close()
		return nil
	}
	if h.file == nil {
		if file, err := os.Open(path); err == nil {
			h.file = file
		}
	}
	return h.file
}

func (h *handle) close() {
	if h.file != nil {
		_ = h.file.Close() // it was read at most
		h.file = nil
	}
}

// partLog is the log of a partition. Of its files, those of the newest segment
// may grow; those of the ones before are looked at once more, and forgotten. The
// newest index is left out: it is made anew from its segment if it is lost.
type partLog struct {
	folder
	newest int64 // base of the newest segment
	files  []segmentFile
}

type segmentFile struct {
	grower
	base int64
}

// grown returns the paths of what has been written to since the last call, and
// at the first call all of them: an earlier process may have been killed before
// it came to flush them. They are valid until the next call.
func (l *kafkaLog) grown() ([]string, error) {
	l.paths = l.paths[:0]
	for i := range l.states {
		if err := l.look(&l.states[i], false); err != nil { // a shorter one takes its place
			return nil, err
		}
	}
	changed, err := l.topics.changed(false)
	if err == nil && changed {
		err = l.find()
	}
	if err != nil {
		return nil, err
	}
	for _, p := range l.parts {
		if err := l.lookAt(p); err != nil {
			return nil, err
		}
	}
	return l.paths, nil
}

// find learns of partitions that came and went.
func (l *kafkaLog) find() error {
	names, err := list(l.topics.path)
	if err != nil {
		return err
	}
	known := make(map[string]*partLog, len(l.parts))
	for _, p := range l.parts {
		p.close()
		known[p.path] = p
	}
	l.parts, l.paths = l.parts[:0], append(l.paths, l.topics.path)
	for _, name := range names {
		path := filepath.Join(l.topics.path, name)
		p := known[path]
		if p == nil {
			p = &partLog{folder: folder{path: path}, newest: -1}
		}
		l.parts = append(l.parts, p)
	}
	return nil
}

func (l *kafkaLog) lookAt(p *partLog) error {
	changed, err := p.changed(true)
	if err == nil && changed {
		p.closeFiles()
		err = l.segments(p)
	}
	if err != nil {
		return err
	}
	live := p.files[:0]
	for i := range p.files {
		f := &p.files[i]
		grows := f.base >= p.newest                       // nothing is added to the others any more
		if !grows || !strings.HasSuffix(f.path, ".idx") { // see completeIndexes
			if err := l.look(&f.grower, grows); err != nil {
				return err
			}
		}
		if grows {
			live = append(live, *f)
		}
	}
	p.files = live
	return nil
}

// segments learns of segments that were begun.
func (l *kafkaLog) segments(p *partLog) error {
	names, err := list(p.path)
	if err != nil {
		return err
	}
	was, newest := p.newest, p.newest
	var fresh []segmentFile
	for _, name := range names {
		base, ok := segmentBase(name)
		if !ok || base < was || p.has(name) {
			continue
		}
		newest = max(newest, base)
		fresh = append(fresh, segmentFile{grower{path: filepath.Join(p.path, name), size: -1}, base})
	}
	if len(fresh) == 0 {
		return nil
	}
	p.newest, l.paths = newest, append(l.paths, p.path)
	p.files = append(p.files, fresh...)
	return nil
}

func (p *partLog) has(name string) bool {
	for _, f := range p.files {
		if filepath.Base(f.path) == name {
			return true
		}
	}
	return false
}

// segmentBase returns the first offset of the segment that a file belongs to.
func segmentBase(name string) (int64, bool) {
	number, kind, _ := strings.Cut(name, ".")
	base, err := strconv.ParseInt(number, 10, 64)
	return base, err == nil && (kind == "dat" || kind == "idx")
}

func (l *kafkaLog) look(g *grower, keep bool) error {
	size, gone, err := g.length(keep)
	if err != nil || gone {
		return err
	}
	if size != g.size {
		g.size, l.paths = size, append(l.paths, g.path)
	}
	return nil
}

// close closes what is kept open.
func (l *kafkaLog) close() {
	for _, p := range l.parts {
		p.close()
	}
}

func (p *partLog) close() {
	p.folder.close()
	p.closeFiles()
}

func (p *partLog) closeFiles() {
	for i := range p.files {
		p.files[i].close()
	}
}

// folder is a directory whose names are read again only when they may have
// changed.
type folder struct {
	path   string
	at     time.Time // of its last change
	racing bool      // it was read so soon after that change that another may bear the same time
	handle
}

// clockTick is more than the precision of a file system's times.
const clockTick = time.Second

func (f *folder) changed(keep bool) (bool, error) {
	look := func() (fs.FileInfo, error) { return os.Stat(f.path) }
	if file := f.open(f.path, keep); file != nil {
		look = file.Stat
	}
	info, err := look()
	if err != nil {
		return false, unlessGone(err)
	}
	at := info.ModTime()
	if at.Equal(f.at) && !f.racing {
		return false, nil
	}
	f.at, f.racing = at, time.Since(at) < clockTick
	return true, nil
}

func list(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, unlessGone(err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	return names, unlessGone(err)
}

func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
