package streamflow

import (
	"strings"
	"time"
	"unicode/utf8"
)

// MaxRecordBytes is how long the JSON text of an event may be.
const MaxRecordBytes = MaxTickBytes

// field is one member that a record knows.
type field struct {
	name     string
	required bool
	want     string // what it should be, for a person
	// read takes the raw value in, valid JSON and not null, and reports whether it
	// is what it should be.
	read func(raw []byte) bool
}

// decodeRecord reads one JSON object: the fields into what they read into, the
// other members as their text. As with ticks, syntax wins over meaning, the
// last of two members of a name counts, and null is as good as absent.
//
// Its errors name the field and never quote the record, because what is wrong
// may be what should not be seen.
func decodeRecord(value []byte, fields []field) (extra []byte, err error) {
	if len(value) > MaxRecordBytes {
		return nil, reject(ReasonTooLarge, "%d bytes, the limit is %d", len(value), MaxRecordBytes)
	}
	if !utf8.Valid(value) {
		return nil, reject(ReasonNotUTF8, "the value is not valid UTF-8")
	}
	s := scanner{data: value}
	raws := make([][]byte, len(fields))
	var others extraMembers
	err = s.members(func(name []byte, start int) bool {
		from := s.pos
		if !s.skipValue(0) {
			return false
		}
		for i := range fields {
			if fields[i].name == string(name) {
				raws[i] = value[from:s.pos]
				return true
			}
		}
		others.add(value, start, s.pos)
		return true
	})
	if err != nil {
		return nil, reject(ReasonNotJSON, "not one JSON object, nested up to %d deep: it goes wrong at byte %d of %d", maxDepth, s.pos, len(value))
	}
	for i, f := range fields {
		if f.required && (raws[i] == nil || raws[i][0] == 'n') {
			return nil, reject(ReasonMissing, "%s is missing", f.name)
		}
	}
	for i, f := range fields {
		if raws[i] != nil && raws[i][0] != 'n' && !f.read(raws[i]) {
			return nil, reject(ReasonUnparsable, "%s: want %s", f.name, f.want)
		}
	}
	return others.bytes(value), nil
}

// textInto reads a text of 1 to [MaxTextBytes] bytes into s.
func textInto(s *string) func(raw []byte) bool {
	return func(raw []byte) bool {
		t, fault := text("", raw)
		*s = t
		return fault == nil && t != ""
	}
}

// typeInto reads the type of an event, which becomes part of a subject.
func typeInto(s *string) func(raw []byte) bool {
	return func(raw []byte) bool {
		t, fault := text("", raw)
		*s = t
		return fault == nil && t != "" && !strings.ContainsFunc(t, func(r rune) bool {
			return r > 0x7f || !plain(byte(r)) && r != '.'
		})
	}
}

// timeInto reads a timestamp, in the forms that a tick's may have.
func timeInto(t *time.Time) func(raw []byte) bool {
	return func(raw []byte) bool {
		at, fault := timestamp(raw)
		*t = at
		return fault == nil
	}
}

// What texts and times should be.
const (
	wantText = "a text of 1 to 64 bytes without control characters"
	wantType = "1 to 64 of A-Z a-z 0-9 . _ -"
	wantTime = "RFC 3339 from 1970 on, or a number of seconds or milliseconds since 1970"
)

// notAhead checks a time against the clock.
func notAhead(t, now time.Time) error {
	if t.After(now.Add(MaxAhead)) {
		return reject(ReasonFuture, "timestamp %s is %s ahead of the clock, the limit is %s",
			t.Format(time.RFC3339Nano), t.Sub(now).Round(time.Second), MaxAhead)
	}
	return nil
}
