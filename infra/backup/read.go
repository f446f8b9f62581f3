package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// Reader reads a backup.
type Reader struct {
	Manifest
	dir string
}

// Open reads the manifest. What the pieces hold is not looked at; see [Reader.Check].
func Open(dir string) (*Reader, error) {
	m, err := read(dir)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return &Reader{*m, dir}, nil
}

// Check reads every piece and compares it with the manifest. seen is told how
// many bytes have been read. The error names the piece that is missing, was cut
// off or was changed.
func (r *Reader) Check(ctx context.Context, seen func(bytes int64)) error {
	var total int64
	for _, p := range r.Pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.check(p); err != nil {
			return fmt.Errorf("backup: %s: %w", filepath.Join(r.dir, p.Name), err)
		}
		total += p.Size
		seen(total)
	}
	return nil
}

func (r *Reader) check(p Piece) error {
	f, err := os.Open(r.path(p))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("it is missing: %w", ErrNotWhole)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, f)
	switch sum := hex.EncodeToString(hash.Sum(nil)); {
	case err != nil:
		return err
	case n < p.Size:
		return fmt.Errorf("it was cut off: it has %d bytes and should have %d: %w", n, p.Size, ErrNotWhole)
	case n > p.Size || sum != p.SHA256:
		return fmt.Errorf("it was changed: its checksum is %.12s and should be %.12s: %w", sum, p.SHA256, ErrNotWhole)
	}
	return nil
}

func (r *Reader) path(p Piece) string { return filepath.Join(r.dir, filepath.FromSlash(p.Name)) }

// Read hands the content of a piece to use, and what its writer wanted to know to about.
func (r *Reader) Read(p Piece, about any, use func(io.Reader) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("restore %s: %w", p.Name, err)
		}
	}()
	if about != nil {
		if err := json.Unmarshal(p.About, about); err != nil {
			return fmt.Errorf("what the manifest says of it cannot be read: %w", err)
		}
	}
	f, err := os.Open(r.path(p))
	if err != nil {
		return err
	}
	defer f.Close()
	packed, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer packed.Close()
	return use(packed)
}
