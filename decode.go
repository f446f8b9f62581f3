package streamflow

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
	"unique"
)

// AnyTime is the clock with which [DecodeTick] reads again what the bridge has
// accepted before: no timestamp is ahead of it.
var AnyTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// DecodeTick reads one Kafka record of topic [TopicTicks]:
//
//	{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T15:04:05.123Z"}
//
// timestamp is RFC 3339 text or a number of seconds or milliseconds since 1970
// (a number below 1e11 counts seconds). Optional members: id, exchange (text),
// bid, ask (numbers). Other members are kept in Extra. Where a member stands
// twice the last one counts, as in JavaScript. key is the record's key, or
// empty; now is the clock against which the timestamp is checked.
//
// The error is a [*RejectError]. The tick's Extra aliases value.
func DecodeTick(value, key []byte, now time.Time) (Tick, error) {
	return decodeTick(value, key, now, "")
}

// Tick reads the tick that m mirrors. The error is a [*RejectError]. The tick
// aliases the message.
func (m *Message) Tick() (Tick, error) {
	if m.tick != nil {
		return *m.tick, nil
	}
	known, _ := TickSymbol(m.Subject) // the text of the symbol is there already
	return decodeTick(m.Data, nil, AnyTime, known)
}

// Decode reads the tick that m mirrors, if it does mirror one, so that Tick of m,
// and of copies of it, is there already.
func (m *Message) Decode() {
	if _, ok := TickSymbol(m.Subject); !ok {
		return
	}
	if t, err := m.Tick(); err == nil {
		m.tick = &t
	}
}

func decodeTick(value, key []byte, now time.Time, known string) (Tick, error) {
	if len(value) > MaxTickBytes {
		return Tick{}, reject(ReasonTooLarge, "%d bytes, the limit is %d", len(value), MaxTickBytes)
	}
	if !utf8.Valid(value) {
		return Tick{}, reject(ReasonNotUTF8, "the value is not valid UTF-8")
	}
	d := tickDecoder{scanner: scanner{data: value}, known: known}
	if err := d.object(); err != nil {
		return Tick{}, err
	}
	if err := d.check(key, now); err != nil {
		return Tick{}, err
	}
	return d.tick, nil
}

// The members that a tick knows; the first ones are required.
const (
	memberSymbol = iota
	memberPrice
	memberVolume
	memberTimestamp
	memberID
	memberExchange
	memberBid
	memberAsk
	memberCount
)

var required = [...]string{"symbol", "price", "volume", "timestamp"}

// tickDecoder reads a tick in one pass. Syntax wins over meaning: the fault of
// a member is kept back until the whole text is known to be JSON, and is
// forgotten if the member stands there again.
type tickDecoder struct {
	scanner
	known  string // what the symbol is likely to be
	tick   Tick
	seen   int // a bit for each member that is there and not null
	faults [memberCount]*RejectError
	extra  extraMembers
}

func (d *tickDecoder) object() error {
	err := d.members(func(name []byte, start int) bool {
		valueStart := d.pos
		if !d.skipValue(0) {
			return false
		}
		d.member(name, d.data[valueStart:d.pos], start)
		return true
	})
	if err != nil {
		return err
	}
	d.tick.Extra = d.extra.bytes(d.data)
	return nil
}

// member takes one member whose raw value is known to be valid JSON.
func (d *tickDecoder) member(name, raw []byte, start int) {
	var which int
	var fault *RejectError
	switch string(name) {
	case "symbol":
		which = memberSymbol
		if plain, ok := plainText(raw); ok && string(plain) == d.known {
			d.tick.Symbol = d.known
		} else {
			d.tick.Symbol, fault = text("symbol", raw)
		}
	case "price":
		which = memberPrice
		d.tick.Price, fault = number("price", raw)
	case "volume":
		which = memberVolume
		d.tick.Volume, fault = integer(raw)
	case "timestamp":
		which = memberTimestamp
		d.tick.Time, fault = timestamp(raw)
	case "id":
		which = memberID
		d.tick.ID, fault = text("id", raw)
	case "exchange":
		which = memberExchange
		if plain, ok := plainText(raw); ok { // there are few exchanges
			d.tick.Exchange = unique.Make(string(plain)).Value()
			fault = checkText("exchange", d.tick.Exchange)
		} else {
			d.tick.Exchange, fault = text("exchange", raw)
		}
	case "bid":
		which = memberBid
		d.tick.Bid, fault = quote("bid", raw)
	case "ask":
		which = memberAsk
		d.tick.Ask, fault = quote("ask", raw)
	default:
		d.extra.add(d.data, start, d.pos)
		return
	}
	d.faults[which] = fault
	if raw[0] == 'n' { // null is as good as absent
		d.seen &^= 1 << which
		return
	}
	d.seen |= 1 << which
}

func (d *tickDecoder) check(key []byte, now time.Time) error {
	for i, name := range required {
		if d.seen&(1<<i) == 0 {
			return reject(ReasonMissing, "%s is missing", name)
		}
	}
	for _, fault := range d.faults {
		if fault != nil && fault.Reason == ReasonUnparsable {
			return fault
		}
	}
	t := &d.tick
	switch {
	case !ValidSymbol(t.Symbol):
		return reject(ReasonBadSymbol, "symbol %q: want 1 to %d of A-Z a-z 0-9 . - _ / : ^ = + & #, the first a letter, digit or ^", t.Symbol, MaxSymbolBytes)
	case !(t.Price > 0) || math.IsInf(t.Price, 0):
		return reject(ReasonBadPrice, "price %v: want a finite number above 0", t.Price)
	case d.faults[memberVolume] != nil:
		return d.faults[memberVolume]
	case t.Volume < 0:
		return reject(ReasonBadVolume, "volume %d is negative", t.Volume)
	case t.Time.After(now.Add(MaxAhead)):
		return reject(ReasonFuture, "timestamp %s is %s ahead of the clock, the limit is %s",
			t.Time.Format(time.RFC3339Nano), t.Time.Sub(now).Round(time.Second), MaxAhead)
	case len(key) > 0 && string(key) != t.Symbol:
		return reject(ReasonKeyMismatch, "the key is %.64q, the symbol is %q", key, t.Symbol)
	}
	return nil
}

// text reads a string of up to [MaxTextBytes] without control characters; null
// is "".
func text(field string, raw []byte) (string, *RejectError) {
	if raw[0] == 'n' {
		return "", nil
	}
	if raw[0] != '"' {
		return "", reject(ReasonUnparsable, "%s %.64s: want a string", field, raw)
	}
	s := unquote(raw)
	return s, checkText(field, s)
}

func checkText(field, s string) *RejectError {
	if len(s) > MaxTextBytes {
		return reject(ReasonUnparsable, "%s has %d bytes, the limit is %d", field, len(s), MaxTextBytes)
	}
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f {
			return reject(ReasonUnparsable, "%s %q holds a control character", field, s)
		}
	}
	return nil
}

// number reads a float64; a number too large for one becomes infinite, so that
// the range check names it. null is 0.
func number(field string, raw []byte) (float64, *RejectError) {
	if raw[0] == 'n' {
		return 0, nil
	}
	if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, reject(ReasonUnparsable, "%s %.64s: want a number", field, raw)
	}
	f, _ := strconv.ParseFloat(string(raw), 64)
	return f, nil
}

func quote(field string, raw []byte) (float64, *RejectError) {
	f, err := number(field, raw)
	if err == nil && raw[0] != 'n' && (!(f > 0) || math.IsInf(f, 0)) {
		return 0, reject(ReasonUnparsable, "%s %.64s: want a finite number above 0", field, raw)
	}
	return f, err
}

// integer reads a volume. 100, 100.0 and 1e2 are the same integer.
func integer(raw []byte) (int64, *RejectError) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, nil
	}
	f, err := number("volume", raw)
	if err != nil {
		return 0, err
	}
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, reject(ReasonBadVolume, "volume %.64s: want a whole number up to 2^53", raw)
	}
	return int64(f), nil
}

// secondsBelow parts epoch seconds from epoch milliseconds: 1e11 seconds is the
// year 5138, 1e11 milliseconds is March 1973.
const secondsBelow = 1e11

func timestamp(raw []byte) (time.Time, *RejectError) {
	if raw[0] == 'n' {
		return time.Time{}, nil
	}
	var t time.Time
	if raw[0] == '"' {
		// UnmarshalText makes no string of it; Parse takes more, for which it always has.
		if plain, ok := plainText(raw); ok && t.UnmarshalText(plain) == nil {
			return sinceEpoch(raw, t)
		}
		var err error
		if t, err = time.Parse(time.RFC3339Nano, unquote(raw)); err != nil {
			return t, reject(ReasonUnparsable, "timestamp %.64s: want RFC 3339, or a number of seconds or milliseconds since 1970", raw)
		}
	} else if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		t = epoch(n)
	} else {
		f, err := number("timestamp", raw)
		if err != nil {
			return t, reject(ReasonUnparsable, "timestamp %.64s: want RFC 3339, or a number of seconds or milliseconds since 1970", raw)
		}
		if f >= secondsBelow {
			f /= 1000
		}
		f = min(f, 1e12) // far ahead: refused as such, and safe to convert
		whole, part := math.Modf(f)
		t = time.Unix(int64(max(whole, -1)), int64(math.Round(part*1e6))*1000)
	}
	return sinceEpoch(raw, t)
}

func sinceEpoch(raw []byte, t time.Time) (time.Time, *RejectError) {
	if t.Unix() < 0 {
		return t, reject(ReasonUnparsable, "timestamp %.64s is before 1970", raw)
	}
	return t.UTC(), nil
}

func epoch(n int64) time.Time {
	if n < secondsBelow {
		return time.Unix(max(n, -1), 0)
	}
	return time.UnixMilli(n)
}
