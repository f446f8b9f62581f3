package streamflow

import (
	"math"
	"strconv"
	"time"
)

// Limits of a tick.
const (
	MaxTickBytes   = 64 << 10        // of the JSON text
	MaxSymbolBytes = 32              // of the symbol
	MaxTextBytes   = 64              // of id and exchange
	MaxAhead       = 5 * time.Minute // how far a timestamp may be ahead of the clock
)

// Tick is one trade: at Time (event time, UTC), Volume units of Symbol changed
// hands at Price (in the symbol's currency).
type Tick struct {
	Symbol   string
	Price    float64 // finite, above 0
	Volume   int64   // 0 or more
	Time     time.Time
	ID       string  // of the trade at its source; "" if unknown
	Exchange string  // "" if unknown
	Bid, Ask float64 // best quotes at Time; 0 if unknown
	// Extra holds the members that StreamFlow does not know, as they were
	// written: `"a":1,"b":[2]`. It aliases the decoded bytes.
	Extra []byte
}

// ValidSymbol reports whether s may name a stock: 1 to [MaxSymbolBytes] of
// A-Z a-z 0-9 . - _ / : ^ = + & #, the first one a letter, digit or ^.
func ValidSymbol(s string) bool {
	if s == "" || len(s) > MaxSymbolBytes {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '^':
		case i > 0 && (c == '.' || c == '-' || c == '_' || c == '/' || c == ':' || c == '=' || c == '+' || c == '&' || c == '#'):
		default:
			return false
		}
	}
	return true
}

// AppendJSON appends t in its canonical form: one JSON object whose timestamp
// is RFC 3339 in UTC, optional members left out where unknown, extra members last.
func (t Tick) AppendJSON(b []byte) []byte {
	b = append(b, `{"symbol":`...)
	b = appendString(b, t.Symbol)
	b = append(b, `,"price":`...)
	b = appendNumber(b, t.Price)
	b = append(b, `,"volume":`...)
	b = strconv.AppendInt(b, t.Volume, 10)
	b = append(b, `,"timestamp":"`...)
	b = t.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	if t.ID != "" {
		b = appendString(append(b, `,"id":`...), t.ID)
	}
	if t.Exchange != "" {
		b = appendString(append(b, `,"exchange":`...), t.Exchange)
	}
	if t.Bid != 0 {
		b = appendNumber(append(b, `,"bid":`...), t.Bid)
	}
	if t.Ask != 0 {
		b = appendNumber(append(b, `,"ask":`...), t.Ask)
	}
	if len(t.Extra) > 0 {
		b = append(append(b, ','), t.Extra...)
	}
	return append(b, '}')
}

// MarshalJSON returns the canonical form.
func (t Tick) MarshalJSON() ([]byte, error) { return t.AppendJSON(nil), nil }

// appendNumber writes f as JavaScript does: the shortest digits that read back
// as f, plain between 1e-6 and 1e21, else with an exponent.
func appendNumber(b []byte, f float64) []byte {
	if cents := math.Round(f * 100); f > 0 && f < 1e12 && cents/100 == f {
		return appendCents(b, uint64(cents))
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// appendCents writes cents/100. Most prices have two decimals, and this takes a
// third of the time that strconv needs to find them. It writes the same: two
// decimals of up to 15 digits never read back as the same float64, so the one
// that does, without its trailing zeros, is the shortest.
func appendCents(b []byte, cents uint64) []byte {
	b = strconv.AppendUint(b, cents/100, 10)
	if rest := byte(cents % 100); rest != 0 {
		b = append(b, '.', '0'+rest/10)
		if rest%10 != 0 {
			b = append(b, '0'+rest%10)
		}
	}
	return b
}

// appendString quotes s, which holds no control characters and is valid UTF-8.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
