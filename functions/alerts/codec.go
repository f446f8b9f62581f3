package alerts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"streamflow"
)

// The saved state of a symbol is a head and then entries, each under a key that
// says what it is of: the first letter and the canonical name. Who reads it takes
// what the rules of today still need and leaves out the rest:
//
//	r<rule>@<hash>  a latch          c<interval>        candles
//	v<operand>      a slot           i<spec>@<interval> an indicator
//	a<average>      volumes          x<window>          extremes of a window
const format = 1

var errShort = errors.New("it ends too early")

// AppendBinary appends the state.
func (s *state) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, format)
	if !s.seen {
		return b, nil
	}
	b = binary.AppendVarint(b, s.newest)
	b = binary.AppendVarint(b, s.produced)
	b = appendFloat(b, s.price)
	b = appendString(b, s.last.Topic)
	b = binary.AppendVarint(b, int64(s.last.Partition))
	b = binary.AppendVarint(b, s.last.Offset)
	b = s.appendRules(b)
	for i, interval := range s.plan.intervals {
		data, err := s.builders[i].AppendBinary(binary.AppendVarint(nil, s.ends[i]))
		if err != nil {
			return b, err
		}
		b = appendString(appendString(b, "c"+string(interval)), string(data))
	}
	for i, a := range s.plan.averages {
		b = appendString(appendString(b, a.key), string(s.averages[i].append(nil)))
	}
	for i, x := range s.plan.indicators {
		b = appendString(appendString(b, x.key), string(s.indicators[i].Append(nil)))
	}
	for i, x := range s.plan.changes {
		b = appendString(appendString(b, x.key), string(s.changes[i].append(nil)))
	}
	return b, nil
}

// appendRules appends the latches and slots that are not as they are in a new state.
func (s *state) appendRules(b []byte) []byte {
	for i, l := range s.latches {
		if l != (latch{}) {
			b = appendString(appendString(b, s.plan.rules[i].key), string(l.append(nil)))
		}
	}
	for i, v := range s.values {
		if !math.IsNaN(v) {
			b = appendString(b, "v"+s.plan.slots[i])
			b = appendFloat(append(b, 8), v)
		}
	}
	return b
}

// UnmarshalBinary reads what AppendBinary of a state of the same symbol has
// appended, under these or other rules, into a new state.
func (s *state) UnmarshalBinary(data []byte) error {
	r := reader{data: data}
	if f := r.byte(); f != format {
		return fmt.Errorf("alerts of %s: state of format %d; want %d", s.symbol, f, format)
	}
	if len(r.data) == 0 {
		return r.err
	}
	s.seen = true
	s.newest, s.produced, s.price = r.varint(), r.varint(), r.float()
	s.last = streamflow.Position{Topic: string(r.bytes()), Partition: int32(r.varint()), Offset: r.varint()}
	for len(r.data) > 0 && r.err == nil {
		key, entry := string(r.bytes()), reader{data: r.bytes()}
		if r.err != nil || key == "" {
			break
		}
		if err := s.readEntry(key, &entry); err != nil {
			return fmt.Errorf("alerts of %s: state: %.80q: %w", s.symbol, key, err)
		}
	}
	if r.err != nil {
		return fmt.Errorf("alerts of %s: state: %w", s.symbol, r.err)
	}
	return nil
}

// readEntry reads an entry unless nothing needs it any more.
func (s *state) readEntry(key string, r *reader) error {
	if key[0] == 'c' {
		i := slices.Index(s.plan.intervals, streamflow.Interval(key[1:]))
		if i < 0 {
			return nil
		}
		if s.ends[i] = r.varint(); r.err != nil {
			return r.err
		}
		return s.builders[i].UnmarshalBinary(r.data)
	}
	i, needed := s.plan.keys[key]
	if !needed {
		return nil
	}
	switch key[0] {
	case 'r':
		s.latches[i].read(r)
	case 'v':
		s.values[i] = r.float()
	case 'a':
		s.averages[i].read(r)
	case 'x':
		s.changes[i].read(r)
	case 'i':
		rest, err := s.indicators[i].Decode(r.data)
		if err != nil {
			return err
		}
		r.data = rest
	}
	return r.end()
}

func (l *latch) append(b []byte) []byte {
	b = binary.AppendUvarint(binary.AppendVarint(b, l.fired), uint64(l.crosses))
	if l.spent {
		return append(b, 1)
	}
	return append(b, 0)
}

func (l *latch) read(r *reader) {
	l.fired, l.crosses, l.spent = r.varint(), uint32(r.uvarint()), r.byte() == 1
}

func (a *average) append(b []byte) []byte {
	n := a.at
	if a.full {
		n = len(a.ring)
	}
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(n)), uint64(a.at))
	for _, v := range a.ring[:n] {
		b = binary.AppendVarint(b, v)
	}
	return b
}

func (a *average) read(r *reader) {
	n, at := r.uvarint(), r.uvarint()
	if full := n == uint64(len(a.ring)); n > uint64(len(a.ring)) || full && at >= n || !full && at != n {
		r.fail(fmt.Errorf("%d of %d volumes, the next at %d", n, len(a.ring), at))
		return
	}
	a.at, a.full, a.sum = int(at), n == uint64(len(a.ring)), 0
	for i := range a.ring[:n] {
		a.ring[i] = r.varint()
		a.sum += a.ring[i]
	}
}

func (x *extremes) append(b []byte) []byte {
	if !x.filled {
		return b
	}
	b = binary.AppendVarint(b, x.newest)
	var there uint64
	for i := range x.low {
		if x.low[i] == x.low[i] {
			there |= 1 << i
		}
	}
	b = binary.LittleEndian.AppendUint64(b, there)
	for i := range x.low {
		if there>>i&1 != 0 {
			b = appendFloat(appendFloat(b, x.low[i]), x.high[i])
		}
	}
	return b
}

func (x *extremes) read(r *reader) {
	if len(r.data) == 0 {
		return
	}
	x.filled, x.newest = true, r.varint()
	x.clear(0, changeSteps)
	there := r.uint64()
	for i := range x.low {
		if there>>i&1 != 0 {
			x.low[i], x.high[i] = r.float(), r.float()
		}
	}
	x.summarize()
}
