package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Version is that of the form. A reader refuses another one.
const Version = 1

const manifestName = "manifest.json"

// maxManifest bounds what is read as a manifest, in bytes.
const maxManifest = 64 << 20

// Manifest says what a backup holds.
type Manifest struct {
	Version int       `json:"version"`
	Program string    `json:"program"` // the version of StreamFlow that wrote it
	Begun   time.Time `json:"begun"`
	// Ended is the point in time that the backup holds: all that producers were
	// told was stored before it, and nothing of after.
	Ended  time.Time `json:"ended"`
	Pieces []Piece   `json:"pieces"`
	// Sum is the SHA-256 of the manifest with this field empty.
	Sum string `json:"sum"`
}

// Piece is one file of a backup.
type Piece struct {
	Name   string          `json:"name"`            // below the directory, with slashes
	Size   int64           `json:"size"`            // bytes of the file
	SHA256 string          `json:"sha256"`          // of the file
	Count  int64           `json:"count"`           // records, messages or rows
	About  json.RawMessage `json:"about,omitempty"` // what its writer wants to know when it is read
}

// Piece returns the piece of that name.
func (m *Manifest) Piece(name string) (Piece, bool) {
	for _, p := range m.Pieces {
		if p.Name == name {
			return p, true
		}
	}
	return Piece{}, false
}

// Below returns the pieces of a directory.
func (m *Manifest) Below(dir string) (pieces []Piece) {
	for _, p := range m.Pieces {
		if strings.HasPrefix(p.Name, dir+"/") {
			pieces = append(pieces, p)
		}
	}
	return pieces
}

// Size is that of all pieces, in bytes.
func (m *Manifest) Size() (bytes int64) {
	for _, p := range m.Pieces {
		bytes += p.Size
	}
	return bytes
}

func (m Manifest) sum() (string, error) {
	m.Sum = ""
	data, err := json.Marshal(m)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

// ErrNotWhole is wrapped by what says that a backup is not as it was written.
var ErrNotWhole = errors.New("the backup is not whole")

// parse reads a manifest and checks what can be checked without the pieces.
func parse(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s cannot be read (%w): %w", manifestName, err, ErrNotWhole)
	}
	if m.Version != Version {
		return nil, fmt.Errorf("%s has version %d, and this program reads version %d: use the program that wrote it (%q)", manifestName, m.Version, Version, m.Program)
	}
	sum, err := m.sum()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, err)
	}
	if sum != m.Sum {
		return nil, fmt.Errorf("%s was changed: its checksum is %.12s and should be %.12s: %w", manifestName, sum, m.Sum, ErrNotWhole)
	}
	for _, p := range m.Pieces {
		if !filepath.IsLocal(filepath.FromSlash(p.Name)) {
			return nil, fmt.Errorf("%s names %q, which is outside of the backup: %w", manifestName, p.Name, ErrNotWhole)
		}
	}
	return &m, nil
}

// read reads the manifest of a directory.
func read(dir string) (*Manifest, error) {
	path := filepath.Join(dir, manifestName)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s has no %s: it is no backup, or one that was not finished: %w", dir, manifestName, ErrNotWhole)
	case err != nil:
		return nil, err
	case info.Size() > maxManifest:
		return nil, fmt.Errorf("%s has %d bytes, which is no manifest: %w", path, info.Size(), ErrNotWhole)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return m, nil
}
