package ingest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"
)

const (
	chunkBytes = 256 << 10
	// maxLine is how long a line is looked at as one; the schemas refuse far less.
	maxLine = 256 << 10
)

// errTruncated says that the bytes before the place where we read are others
// than those that we have read.
var errTruncated = errors.New("truncated")

// what [source.record] found.
type found int

const (
	foundNone   found = iota // more must be read first
	foundRecord              // a record
	foundLong                // one that is too long begins; skip it by [source.skip]
	foundCut                 // one that was too long has ended
)

// source reads a file, or a stream, record by record.
type source struct {
	file    *os.File
	stream  <-chan []byte // instead of file
	name    string
	rotated bool      // nobody opens it any more to write to it
	seen    time.Time // when it was rotated under our eyes
	mark    Mark
	header  string
	heads   []string

	buf     []byte
	base    int64 // offset of buf[0]
	next    int   // in buf: what was not taken yet
	scanned int   // in buf: how far an end was looked for
	quoted  bool  // the text at scanned is within quotes
	skips   bool
	line    int64 // lines before next
	ended   bool  // the stream has
	failed  error // why, if not because it was read; valid when it has ended
}

// openFile opens a file at a position, or at its beginning for a zero one.
func openFile(name string, p Position) (*source, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s := &source{file: f, name: name, mark: markOf(info)}
	if p.Offset > 0 {
		n := min(p.Offset, window)
		b := make([]byte, n, chunkBytes)
		if _, err := f.ReadAt(b, p.Offset-n); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		s.buf, s.base, s.next, s.scanned = b, p.Offset-n, int(n), int(n)
		s.line, s.header, s.heads = p.Line, p.Header, p.Heads
	}
	return s, nil
}

func (s *source) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}

func (s *source) offset() int64 { return s.base + int64(s.next) }

// position is where it is: between two records.
func (s *source) position() Position {
	p := Position{File: s.mark, Offset: s.offset(), Line: s.line, Heads: s.heads, Header: s.header}
	if p.Offset > 0 {
		p.Before = fingerprint(s.buf[max(s.next-window, 0):s.next])
	}
	return p
}

// fill reads more; n is 0 where there is no more now.
func (s *source) fill() (n int, err error) {
	s.compact()
	if s.stream != nil {
		select {
		case b, ok := <-s.stream:
			if s.buf = append(s.buf, b...); !ok {
				s.ended = true
				return 0, s.failed
			}
			return len(b), nil
		default:
			return 0, nil
		}
	}
	known := len(s.buf)
	s.buf = append(s.buf, make([]byte, chunkBytes)...)
	n, err = s.file.ReadAt(s.buf[known:], s.base+int64(known))
	s.buf = s.buf[:known+n]
	if err != nil && err != io.EOF {
		return 0, err
	}
	info, err := s.file.Stat()
	if err != nil {
		return 0, err
	}
	// Looked at after the read: if what is before is still what it was, then so
	// was the file while it was read.
	if info.Size() < s.base+int64(known) || !s.holds(known) {
		s.buf = s.buf[:known]
		return 0, errTruncated
	}
	s.mark = markOf(info)
	s.learnHeads()
	return n, nil
}

// holds reports whether the file still holds what stands before buf[known].
func (s *source) holds(known int) bool {
	had := s.buf[max(known-window, 0):known]
	b := make([]byte, len(had))
	_, err := s.file.ReadAt(b, s.base+int64(known-len(had)))
	return len(had) == 0 || err == nil && bytes.Equal(b, had)
}

// learnHeads takes the fingerprints of the beginning while it is in the buffer.
func (s *source) learnHeads() {
	if s.base == 0 && len(s.heads) < len(headLengths) {
		s.heads = heads(s.buf)
	}
}

// compact drops what was taken but for the bytes that a position needs.
func (s *source) compact() {
	if drop := s.next - window; drop > chunkBytes/2 || s.next == len(s.buf) && drop > 0 {
		s.buf = append(s.buf[:0], s.buf[drop:]...)
		s.base, s.next, s.scanned = s.base+int64(drop), s.next-drop, s.scanned-drop
	}
}

// record takes the next record that holds something: a line, or with a comma,
// which is that of CSV, a text in which what is within quotes is no end. last
// takes what has no end. line is the number of its first line. The text is
// valid until the next call.
func (s *source) record(comma byte, last bool) (text []byte, line int64, what found) {
	for {
		if s.skips {
			return nil, s.line, s.skipOn(last)
		}
		for s.next < len(s.buf) && s.buf[s.next] == 0 && s.scanned == s.next {
			s.next++ // the hole that a writer leaves who goes on behind a truncation
			s.scanned = s.next
		}
		end, ok := s.end(comma)
		if s.quoted && last || s.lasts(end, ok) && comma != 0 {
			end, ok = s.firstLine()
		}
		switch {
		case !ok && s.lasts(end, ok):
			return nil, s.line + 1, foundLong
		case !ok && (!last || s.next == len(s.buf)):
			return nil, 0, foundNone
		case !ok:
			end = len(s.buf)
		}
		long := end-s.next > maxLine
		if text, line = s.take(end); long {
			return nil, line, foundCut
		}
		if len(text) > 0 {
			return text, line, foundRecord
		}
	}
}

// lasts reports whether a record is too long, whether or not its end is known.
func (s *source) lasts(end int, ok bool) bool {
	if !ok {
		end = len(s.buf)
	}
	return end-s.next > maxLine
}

// end looks for the end of a record.
func (s *source) end(comma byte) (int, bool) {
	if comma == 0 {
		if i := bytes.IndexByte(s.buf[s.scanned:], '\n'); i >= 0 {
			return s.scanned + i + 1, true
		}
		s.scanned = len(s.buf)
		return 0, false
	}
	for ; s.scanned < len(s.buf); s.scanned++ {
		switch c := s.buf[s.scanned]; {
		case c == '"':
			// One within a field opens nothing, unless it is the second of two.
			s.quoted = !s.quoted && (s.scanned == s.next || s.buf[s.scanned-1] == comma || s.buf[s.scanned-1] == '"')
		case c == '\n' && !s.quoted:
			return s.scanned + 1, true
		}
	}
	return 0, false
}

// firstLine ends a record that a quote holds open at its first line, so that one
// quote too many does not swallow what follows.
func (s *source) firstLine() (int, bool) {
	i := bytes.IndexByte(s.buf[s.next:], '\n')
	return s.next + i + 1, i >= 0
}

func (s *source) take(end int) (text []byte, line int64) {
	text, line = s.buf[s.next:end], s.line+1
	s.line += int64(max(bytes.Count(text, []byte("\n")), 1))
	if s.offset() == 0 {
		text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	}
	s.next, s.scanned, s.quoted = end, end, false
	return bytes.TrimSpace(text), line
}

// skip begins to drop a record that is too long.
func (s *source) skip() { s.skips = true }

func (s *source) skipOn(last bool) found {
	i := bytes.IndexByte(s.buf[s.next:], '\n')
	if i < 0 {
		s.next, s.scanned = len(s.buf), len(s.buf)
		if !last {
			return foundNone
		}
	} else {
		s.next += i + 1
	}
	s.scanned, s.skips, s.quoted = s.next, false, false
	s.line++
	return foundCut
}
