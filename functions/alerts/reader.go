package alerts

import (
	"encoding/binary"
	"errors"
	"math"
)

func appendFloat(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
}

// appendString appends a text, or bytes, behind its length.
func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader reads a saved state. After the first error it reads zeros, so that only
// the end must be looked at.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.data = nil
}

// end says what went wrong, or that something is left over.
func (r *reader) end() error {
	if r.err == nil && len(r.data) > 0 {
		return errors.New("it is longer than it should be")
	}
	return r.err
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.data)
	return took(r, v, n)
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	return took(r, v, n)
}

// took steps over n bytes that held v.
func took[T int64 | uint64](r *reader, v T, n int) T {
	if n <= 0 {
		r.fail(errShort)
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) byte() byte {
	if len(r.data) == 0 {
		r.fail(errShort)
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.fail(errShort)
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) uint64() uint64 {
	if len(r.data) < 8 {
		r.fail(errShort)
		return 0
	}
	v := binary.LittleEndian.Uint64(r.data)
	r.data = r.data[8:]
	return v
}

// float reads a number; what is none was never written.
func (r *reader) float() float64 {
	f := math.Float64frombits(r.uint64())
	if math.IsNaN(f) {
		r.fail(errors.New("it holds what is no number"))
		return 0
	}
	return f
}
