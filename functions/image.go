package functions

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"streamflow"
)

// imageMagic begins the image of a shard's states: what a snapshot holds.
//
//	magic | function | version | number of keys | for each, by key:
//	  key | due | topic | partition | offset | hops | state
//
// Texts and states have their length before them; numbers are varints.
const imageMagic = "SFS1"

// errVersion says that an image holds states of another version of the function.
var errVersion = errors.New("states of another version")

// entry is one key of an image.
type entry struct {
	key   string
	due   int64
	cause streamflow.Position
	hops  string
	state []byte
}

// imageHead is what an image says of itself.
type imageHead struct {
	function, version string
	keys              int
}

// save appends the image of all states to b.
func (m *machine) save(b []byte) ([]byte, error) {
	cells := m.ordered()
	b = appendHead(b, imageHead{m.f.Name, m.f.Version, len(cells)})
	for _, c := range cells {
		var err error
		if m.backup, err = m.encode(m.backup[:0], c); err != nil {
			return b, fmt.Errorf("state of key %q: %w", c.key, err)
		}
		b = appendEntry(b, entry{c.key, c.due, c.cause, c.hops, m.backup})
	}
	return b, nil
}

// restore fills an empty machine from an image.
func (m *machine) restore(data []byte) error {
	head, rest, err := readHead(data)
	if err != nil {
		return err
	}
	if head.function != m.f.Name {
		return fmt.Errorf("states of function %q, want those of %q", head.function, m.f.Name)
	}
	if head.version != m.f.Version {
		return fmt.Errorf("function %s: %w: %q, want %q", m.f.Name, errVersion, head.version, m.f.Version)
	}
	return readEntries(head, rest, func(e entry) error {
		state, err := m.decode(e.key, e.state)
		if err != nil {
			return fmt.Errorf("state of key %q: %w", e.key, err)
		}
		if m.cells[e.key] != nil {
			return fmt.Errorf("key %q stands there twice", e.key)
		}
		m.add(&cell{key: e.key, state: state, due: e.due, index: -1, cause: e.cause, hops: e.hops})
		return nil
	})
}

func appendHead(b []byte, h imageHead) []byte {
	b = append(b, imageMagic...)
	b = appendText(b, h.function)
	b = appendText(b, h.version)
	return binary.AppendUvarint(b, uint64(h.keys))
}

func appendEntry(b []byte, e entry) []byte {
	b = appendText(b, e.key)
	b = binary.AppendVarint(b, e.due)
	b = appendText(b, e.cause.Topic)
	b = binary.AppendVarint(b, int64(e.cause.Partition))
	b = binary.AppendVarint(b, e.cause.Offset)
	b = appendText(b, e.hops)
	b = binary.AppendUvarint(b, uint64(len(e.state)))
	return append(b, e.state...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func readHead(data []byte) (h imageHead, rest []byte, err error) {
	r := imageReader{data: data}
	if !strings.HasPrefix(string(data[:min(len(data), len(imageMagic))]), imageMagic) {
		return h, nil, fmt.Errorf("states: they do not begin with %q", imageMagic)
	}
	r.at = len(imageMagic)
	h.function, h.version = string(r.bytes()), string(r.bytes())
	h.keys = int(r.uvarint())
	if r.bad || h.keys < 0 || h.keys > len(data) {
		return h, nil, fmt.Errorf("states: the head is cut off or wrong")
	}
	return h, data[r.at:], nil
}

// readEntries calls each with every entry. Its state is part of data.
func readEntries(head imageHead, data []byte, each func(entry) error) error {
	r := imageReader{data: data}
	for i := range head.keys {
		e := entry{key: string(r.bytes()), due: r.varint()}
		e.cause = streamflow.Position{Topic: string(r.bytes()), Partition: int32(r.varint()), Offset: r.varint()}
		e.hops, e.state = string(r.bytes()), r.bytes()
		if r.bad {
			return fmt.Errorf("states: key %d of %d is cut off at byte %d of %d", i+1, head.keys, r.at, len(data))
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if r.at != len(data) {
		return fmt.Errorf("states: %d bytes follow the last key", len(data)-r.at)
	}
	return nil
}

// imageReader reads what the append functions write. Once it is bad, all that it
// returns is empty.
type imageReader struct {
	data []byte
	at   int
	bad  bool
}

func (r *imageReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data[r.at:])
	return taken(r, v, n)
}

func (r *imageReader) varint() int64 {
	v, n := binary.Varint(r.data[r.at:])
	return taken(r, v, n)
}

func taken[T int64 | uint64](r *imageReader, v T, n int) T {
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.at += n
	return v
}

func (r *imageReader) bytes() []byte {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.data)-r.at) {
		r.bad = true
		return nil
	}
	b := r.data[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return b
}
