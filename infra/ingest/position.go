package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
)

// Mark tells a file from others, also after it was renamed.
type Mark struct {
	Device   uint64 `json:"device"`
	Inode    uint64 `json:"inode"`
	Modified int64  `json:"modified"` // unix nanoseconds, when it was last looked at
}

// same reports whether both are one file. Where there are no inodes none is.
func (m Mark) same(o Mark) bool { return m.Inode != 0 && m.Inode == o.Inode && m.Device == o.Device }

func markOf(info os.FileInfo) Mark {
	device, inode := inodeOf(info)
	return Mark{device, inode, info.ModTime().UnixNano()}
}

// Position is how far a file was read.
type Position struct {
	File Mark `json:"file"`
	// Offset is that of the first byte that was not read. 0 says that File itself
	// is behind us, and what was written after it is next.
	Offset int64 `json:"offset"`
	Line   int64 `json:"line"` // lines before Offset
	// Before is the fingerprint of the bytes before Offset. An inode is used
	// again, and a file that was truncated grows again: the bytes tell.
	Before string `json:"before,omitempty"`
	// Heads are those of the beginning, by length, which is the power of 4.
	Heads  []string `json:"heads,omitempty"`
	Header string   `json:"header,omitempty"` // the first line, of CSV
}

// window is how many bytes before a position are looked at.
const window = 1024

// headLengths are those of [Position.Heads]. The shorter ones recognize a short
// copy.
var headLengths = [...]int{64, 256, 1024}

func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}

// heads returns the fingerprints of the beginning of a file.
func heads(begin []byte) (list []string) {
	for _, n := range headLengths {
		if len(begin) >= n {
			list = append(list, fingerprint(begin[:n]))
		}
	}
	return list
}

// reaches reports whether the file holds the bytes before p where p says.
func (p Position) reaches(f *os.File) bool {
	n := min(p.Offset, window)
	b := make([]byte, n)
	if _, err := f.ReadAt(b, p.Offset-n); err != nil {
		return false
	}
	return fingerprint(b) == p.Before
}

// copies reports whether the file begins as that of p does, as far as both go.
func (p Position) copies(f *os.File) bool {
	b := make([]byte, window)
	n, _ := f.ReadAt(b, 0) // less is what a short file has
	have := heads(b[:n])
	n = min(len(have), len(p.Heads))
	return n > 0 && have[n-1] == p.Heads[n-1]
}
