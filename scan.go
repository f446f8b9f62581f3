package streamflow

import "encoding/json"

// maxDepth bounds the nesting of members that we carry but do not read.
const maxDepth = 64

// scanner checks JSON in one pass without building anything. Ticks are read by
// every function, tens of thousands of times a second; encoding/json costs three
// times as much and cannot say where the unknown members stand.
type scanner struct {
	data []byte
	pos  int
	deep bool // it stopped because of [maxDepth]
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// next skips white space and reports whether c follows, and takes it.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// members walks the one object that the data must be. fn is called with the
// name of a member and where it starts, at the start of its value, and must
// move past the value.
func (s *scanner) members(fn func(name []byte, start int) bool) error {
	if !s.next('{') {
		return reject(ReasonNotJSON, "want a JSON object, it starts with %.16q", s.data)
	}
	if !s.next('}') {
		for {
			s.space()
			start := s.pos
			if !s.string() {
				return s.broken()
			}
			name := s.data[start+1 : s.pos-1]
			if i := indexEscape(name); i >= 0 {
				name = []byte(unquote(s.data[start:s.pos]))
			}
			if !s.next(':') {
				return s.broken()
			}
			s.space()
			if !fn(name, start) {
				return s.broken()
			}
			if s.next(',') {
				continue
			}
			if s.next('}') {
				break
			}
			return s.broken()
		}
	}
	s.space()
	if s.pos != len(s.data) {
		return reject(ReasonNotJSON, "more data after the object, at byte %d", s.pos)
	}
	return nil
}

func (s *scanner) broken() error {
	switch {
	case s.deep:
		return reject(ReasonNotJSON, "nested deeper than %d, at byte %d", maxDepth, s.pos)
	case s.pos >= len(s.data):
		return reject(ReasonNotJSON, "the JSON ends too early, at byte %d", len(s.data))
	}
	return reject(ReasonNotJSON, "not JSON at byte %d: %.16q", s.pos, s.data[s.pos:])
}

// skipValue moves past one value and reports whether it was valid.
func (s *scanner) skipValue(depth int) bool {
	if depth > maxDepth {
		s.deep = true
		return false
	}
	if s.pos >= len(s.data) {
		return false
	}
	switch c := s.data[s.pos]; c {
	case '"':
		return s.string()
	case '{', '[':
		s.pos++
		return s.container(c == '{', depth)
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

func (s *scanner) container(object bool, depth int) bool {
	end := byte(']')
	if object {
		end = '}'
	}
	if s.next(end) {
		return true
	}
	for {
		s.space()
		if object && (!s.string() || !s.next(':')) {
			return false
		}
		s.space()
		if !s.skipValue(depth + 1) {
			return false
		}
		if s.next(',') {
			continue
		}
		return s.next(end)
	}
}

func (s *scanner) literal(word string) bool {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
}

func (s *scanner) string() bool {
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return false
	}
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return true
		case c == '\\':
			s.pos++
			if !s.escape() {
				return false
			}
		case c < 0x20:
			return false
		}
	}
	return false
}

// escape checks what follows a backslash, and stands on its last byte after.
func (s *scanner) escape() bool {
	if s.pos >= len(s.data) {
		return false
	}
	switch s.data[s.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		if len(s.data)-s.pos < 5 {
			return false
		}
		for _, c := range s.data[s.pos+1 : s.pos+5] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
		s.pos += 4
		return true
	}
	return false
}

func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

func indexEscape(b []byte) int {
	for i, c := range b {
		if c == '\\' {
			return i
		}
	}
	return -1
}

// unquote returns the text of a valid JSON string.
func unquote(raw []byte) string {
	if plain, ok := plainText(raw); ok {
		return string(plain)
	}
	var s string
	_ = json.Unmarshal(raw, &s) // the scanner has checked it
	return s
}

// plainText returns what a JSON string holds, if it is one that has no escapes.
func plainText(raw []byte) (text []byte, ok bool) {
	if raw[0] != '"' || indexEscape(raw) >= 0 {
		return nil, false
	}
	return raw[1 : len(raw)-1], true
}

// extraMembers gathers the text of the unknown members. As long as they stand
// side by side it only remembers where; else it copies.
type extraMembers struct {
	start, end int
	copied     []byte
}

func (e *extraMembers) add(data []byte, start, end int) {
	switch {
	case e.end == 0:
		e.start, e.end = start, end
		return
	case e.copied == nil:
		e.copied = append(e.copied, data[e.start:e.end]...)
	}
	e.copied = append(append(e.copied, ','), data[start:end]...)
}

func (e *extraMembers) bytes(data []byte) []byte {
	if e.copied != nil || e.end == 0 {
		return e.copied
	}
	return data[e.start:e.end:e.end]
}
