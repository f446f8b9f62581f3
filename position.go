package streamflow

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Position is where a message stands in Kafka. It is the only position that
// StreamFlow knows: every hop derives what it has done from it.
type Position struct {
	Topic     string
	Partition int32
	Offset    int64
}

// String returns "<topic>/<partition>/<offset>", the value of [HeaderPosition].
func (p Position) String() string { return string(p.AppendTo(nil)) }

// AppendTo appends the text of p to b.
func (p Position) AppendTo(b []byte) []byte {
	b = append(b, p.Topic...)
	b = append(b, '/')
	b = strconv.AppendInt(b, int64(p.Partition), 10)
	b = append(b, '/')
	return strconv.AppendInt(b, p.Offset, 10)
}

// ParsePosition reads what [Position.String] writes. The error names the part
// that is wrong.
func ParsePosition(s string) (Position, error) {
	j := strings.LastIndexByte(s, '/')
	if j < 0 {
		return Position{}, fmt.Errorf("position %q: want <topic>/<partition>/<offset>", s)
	}
	i := strings.LastIndexByte(s[:j], '/')
	if i <= 0 {
		return Position{}, fmt.Errorf("position %q: want <topic>/<partition>/<offset>", s)
	}
	partition, err := strconv.ParseUint(s[i+1:j], 10, 31)
	if err != nil {
		return Position{}, fmt.Errorf("position %q: partition %q is not a number from 0", s, s[i+1:j])
	}
	offset, err := strconv.ParseUint(s[j+1:], 10, 63)
	if err != nil {
		return Position{}, fmt.Errorf("position %q: offset %q is not a number from 0", s, s[j+1:])
	}
	return Position{Topic: s[:i], Partition: int32(partition), Offset: int64(offset)}, nil
}

// Hop is the moment at which a message passed one part of the system.
type Hop struct {
	Name string
	At   time.Time
}

// Names of the hops, in the order in which a tick passes them.
const (
	HopKafka  = "kafka"  // the record's timestamp in Kafka: when it was produced
	HopBridge = "bridge" // the bridge had read it
)

// AppendHop appends "name=unix-nanoseconds;" to b, the form of [HeaderHops].
func AppendHop(b []byte, name string, at time.Time) []byte {
	b = append(b, name...)
	b = append(b, '=')
	b = strconv.AppendInt(b, at.UnixNano(), 10)
	return append(b, ';')
}

// ParseHops reads [HeaderHops]. A hop that cannot be read is left out: hop
// times are for people, and never a reason to refuse a message.
func ParseHops(s string) []Hop {
	var hops []Hop
	for part := range strings.SplitSeq(s, ";") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			continue
		}
		ns, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			continue
		}
		hops = append(hops, Hop{Name: name, At: time.Unix(0, ns)})
	}
	return hops
}

// FindHop returns one hop of [HeaderHops] without reading the others.
func FindHop(s, name string) (time.Time, bool) {
	for s != "" {
		var part string
		part, s, _ = strings.Cut(s, ";")
		if len(part) > len(name) && part[len(name)] == '=' && part[:len(name)] == name {
			ns, err := strconv.ParseInt(part[len(name)+1:], 10, 64)
			return time.Unix(0, ns), err == nil
		}
	}
	return time.Time{}, false
}

// Partition names one partition of a topic.
type Partition struct {
	Topic  string
	Number int32
}

// In returns the partition in which p stands.
func (p Position) In() Partition { return Partition{Topic: p.Topic, Number: p.Partition} }
