package functions

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
)

// pieceAtMost keeps a piece a message like others: one of a megabyte and more
// holds up what is behind it.
const pieceAtMost = 512 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errTorn says that a slot does not hold what its checkpoint says.
var errTorn = errors.New("the snapshot is not what its checkpoint says")

// write stores an image in a slot, and notes in s what a reader must find.
func (s *snapshot) write(ctx context.Context, l Ledger, slot int, image []byte, keys int, fence uint64) error {
	size := min(l.MaxPiece(), pieceAtMost)
	var pieces [][]byte
	for rest := image; len(rest) > 0; {
		n := min(size, len(rest))
		pieces, rest = append(pieces, rest[:n:n]), rest[n:]
	}
	s.Slot, s.Pieces, s.Bytes, s.CRC, s.Keys = slot, len(pieces), len(image), crc32.Checksum(image, castagnoli), keys
	return l.WriteState(ctx, slot, pieces, fence)
}

// readImage reads the image that a checkpoint names; none is empty.
func readImage(ctx context.Context, l Ledger, s *snapshot) ([]byte, error) {
	if s == nil {
		return nil, nil
	}
	pieces, err := l.ReadState(ctx, s.Slot, s.Pieces)
	if err != nil {
		return nil, err
	}
	image := make([]byte, 0, s.Bytes)
	for i, piece := range pieces {
		if piece == nil {
			return nil, fmt.Errorf("%w: piece %d of %d in slot %d is missing", errTorn, i, s.Pieces, s.Slot)
		}
		image = append(image, piece...)
	}
	if len(image) != s.Bytes || crc32.Checksum(image, castagnoli) != s.CRC {
		return nil, fmt.Errorf("%w: slot %d holds %d bytes of %d, or others", errTorn, s.Slot, len(image), s.Bytes)
	}
	return image, nil
}

// imageWriter gathers entries for an image.
type imageWriter struct {
	entries []byte
	n       int
}

func (w *imageWriter) add(e entry) { w.entries, w.n = appendEntry(w.entries, e), w.n+1 }

func (w *imageWriter) keys() int { return w.n }

func (w *imageWriter) finish(f *Function) []byte {
	return append(appendHead(nil, imageHead{f.Name, f.Version, w.n}), w.entries...)
}

// dealImage gives each key of an image to its shard. States of another version
// would be dropped by every shard, so they are dropped here.
func dealImage(f *Function, image []byte, to []imageWriter) error {
	if len(image) == 0 {
		return nil
	}
	head, rest, err := readHead(image)
	if err != nil || head.version != f.Version {
		return err
	}
	return readEntries(head, rest, func(e entry) error {
		to[hash(e.key)%uint32(len(to))].add(e)
		return nil
	})
}
