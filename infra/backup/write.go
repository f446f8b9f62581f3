package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Writer writes a backup into a directory of its own.
type Writer struct {
	dir string
	m   Manifest
}

// Create makes the directory, which must not be there or be empty.
func Create(dir, program string) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("backup: %s is not empty: name a directory that is, or one that is not there yet", dir)
	}
	return &Writer{dir: dir, m: Manifest{Version: Version, Program: program, Begun: time.Now().UTC().Truncate(time.Millisecond)}}, nil
}

// Write makes a piece of what fill writes and counts. about, if it is not nil,
// is asked after that, and kept in the manifest. The file is on the disk when it
// returns.
func (w *Writer) Write(name string, fill func(io.Writer) (count int64, err error), about func() any) (Piece, error) {
	p, err := w.write(name, fill)
	if err == nil && about != nil {
		p.About, err = json.Marshal(about())
	}
	if err != nil {
		return p, fmt.Errorf("backup: %s: %w", filepath.Join(w.dir, name), err)
	}
	w.m.Pieces = append(w.m.Pieces, p)
	return p, nil
}

func (w *Writer) write(name string, fill func(io.Writer) (int64, error)) (p Piece, err error) {
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return p, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := &summed{w: f, hash: sha256.New()}
	packed, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return p, err
	}
	count, err := fill(packed)
	if err = errors.Join(err, packed.Close()); err != nil {
		return p, err
	}
	return Piece{Name: name, Size: out.size, SHA256: hex.EncodeToString(out.hash.Sum(nil)), Count: count}, f.Sync()
}

// Finish writes the manifest, which makes the backup complete.
func (w *Writer) Finish() (*Manifest, error) {
	m := w.m
	m.Ended = time.Now().UTC().Truncate(time.Millisecond)
	var err error
	if m.Sum, err = m.sum(); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	data, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	path := filepath.Join(w.dir, manifestName)
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(path+".part", path)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return &m, nil
}

// summed counts and sums what passes.
type summed struct {
	w    io.Writer
	hash hash.Hash
	size int64
}

func (s *summed) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	s.hash.Write(b[:n])
	s.size += int64(n)
	return n, err
}
