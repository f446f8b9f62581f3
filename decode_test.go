package streamflow

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// noon is the clock of these tests.
var noon = time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)

const good = `{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"2025-01-02T11:59:59.5Z"}`

// with returns a good tick in which one member stands otherwise.
func with(member, value string) string {
	members := []struct{ name, value string }{
		{"symbol", `"AAPL"`}, {"price", `187.23`}, {"volume", `100`}, {"timestamp", `"2025-01-02T11:59:59.5Z"`},
	}
	var parts []string
	found := false
	for _, m := range members {
		if m.name == member {
			m.value, found = value, true
		}
		if m.value != "" {
			parts = append(parts, `"`+m.name+`":`+m.value)
		}
	}
	if !found {
		parts = append(parts, `"`+member+`":`+value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestDecodeTickRejects(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		name, value, key string
		reason           Reason
		detail           string // a part of it
	}{
		{name: "one byte too long", value: pad(good, MaxTickBytes+1), reason: ReasonTooLarge, detail: "65537"},
		{name: "bad UTF-8", value: with("id", "\"\xff\""), reason: ReasonNotUTF8},
		{name: "bad UTF-8 wins over bad JSON", value: "\xff", reason: ReasonNotUTF8},
		{name: "surrogate in UTF-8", value: with("id", "\"\xed\xa0\x80\""), reason: ReasonNotUTF8},

		{name: "nothing", value: "", reason: ReasonNotJSON},
		{name: "only space", value: " \n", reason: ReasonNotJSON},
		{name: "no object", value: `["AAPL"]`, reason: ReasonNotJSON, detail: "want a JSON object"},
		{name: "cut short", value: good[:40], reason: ReasonNotJSON, detail: "ends too early"},
		{name: "byte order mark", value: "\ufeff" + good, reason: ReasonNotJSON},
		{name: "two objects", value: good + good, reason: ReasonNotJSON, detail: "more data"},
		{name: "comma at the end", value: good[:len(good)-1] + ",}", reason: ReasonNotJSON},
		{name: "no comma", value: `{"symbol":"A" "price":1}`, reason: ReasonNotJSON},
		{name: "bare name", value: `{symbol:"AAPL"}`, reason: ReasonNotJSON},
		{name: "single quotes", value: strings.ReplaceAll(good, `"`, `'`), reason: ReasonNotJSON},
		{name: "NaN", value: with("price", "NaN"), reason: ReasonNotJSON},
		{name: "Infinity", value: with("price", "Infinity"), reason: ReasonNotJSON},
		{name: "leading zero", value: with("volume", "0100"), reason: ReasonNotJSON},
		{name: "plus", value: with("volume", "+100"), reason: ReasonNotJSON},
		{name: "bare point", value: with("price", ".5"), reason: ReasonNotJSON},
		{name: "point at the end", value: with("price", "5."), reason: ReasonNotJSON},
		{name: "hexadecimal", value: with("volume", "0x10"), reason: ReasonNotJSON},
		{name: "bare control character", value: with("id", "\"a\nb\""), reason: ReasonNotJSON},
		{name: "bad escape", value: with("id", `"\x"`), reason: ReasonNotJSON},
		{name: "short escape", value: with("id", `"\u12"`), reason: ReasonNotJSON},
		{name: "bad JSON wins over bad fields", value: with("price", `"no"`) + "!", reason: ReasonNotJSON},
		{name: "one too deep", value: with("x", nested(maxDepth+2)), reason: ReasonNotJSON, detail: "nested deeper"},
		{name: "far too deep", value: with("x", strings.Repeat(`{"a":[`, 9_000)), reason: ReasonNotJSON, detail: "nested deeper"},

		{name: "empty object", value: "{}", reason: ReasonMissing, detail: "symbol"},
		{name: "no symbol", value: with("symbol", ""), reason: ReasonMissing, detail: "symbol"},
		{name: "no price", value: with("price", ""), reason: ReasonMissing, detail: "price"},
		{name: "no volume", value: with("volume", ""), reason: ReasonMissing, detail: "volume"},
		{name: "no timestamp", value: with("timestamp", ""), reason: ReasonMissing, detail: "timestamp"},
		{name: "null price", value: with("price", "null"), reason: ReasonMissing, detail: "price"},
		{name: "null after a price", value: good[:len(good)-1] + `,"price":null}`, reason: ReasonMissing, detail: "price"},
		{name: "other case", value: strings.Replace(good, "price", "Price", 1), reason: ReasonMissing, detail: "price"},
		{name: "missing wins over unparsable", value: `{"price":"x"}`, reason: ReasonMissing, detail: "symbol"},

		{name: "symbol is a number", value: with("symbol", "1"), reason: ReasonUnparsable, detail: "symbol"},
		{name: "price is text", value: with("price", `"187.23"`), reason: ReasonUnparsable, detail: "price"},
		{name: "price says NaN", value: with("price", `"NaN"`), reason: ReasonUnparsable, detail: "price"},
		{name: "price is an object", value: with("price", `{}`), reason: ReasonUnparsable, detail: "price"},
		{name: "volume is text", value: with("volume", `"100"`), reason: ReasonUnparsable, detail: "volume"},
		{name: "volume is true", value: with("volume", `true`), reason: ReasonUnparsable, detail: "volume"},
		{name: "timestamp is a date", value: with("timestamp", `"2025-01-02"`), reason: ReasonUnparsable, detail: "timestamp"},
		{name: "timestamp without a zone", value: with("timestamp", `"2025-01-02T11:00:00"`), reason: ReasonUnparsable, detail: "timestamp"},
		{name: "timestamp is a list", value: with("timestamp", `[1]`), reason: ReasonUnparsable, detail: "timestamp"},
		{name: "timestamp is negative", value: with("timestamp", `-1`), reason: ReasonUnparsable, detail: "1970"},
		{name: "timestamp is a little negative", value: with("timestamp", `-0.5`), reason: ReasonUnparsable, detail: "1970"},
		{name: "timestamp is very negative", value: with("timestamp", `-1e999`), reason: ReasonUnparsable, detail: "1970"},
		{name: "timestamp before 1970", value: with("timestamp", `"1969-12-31T23:59:59Z"`), reason: ReasonUnparsable, detail: "1970"},
		{name: "timestamp before 1970 by its zone", value: with("timestamp", `"1970-01-01T00:30:00+01:00"`), reason: ReasonUnparsable, detail: "1970"},
		{name: "bid is text", value: with("bid", `"1"`), reason: ReasonUnparsable, detail: "bid"},
		{name: "bid is 0", value: with("bid", `0`), reason: ReasonUnparsable, detail: "bid"},
		{name: "ask is infinite", value: with("ask", `1e999`), reason: ReasonUnparsable, detail: "ask"},
		{name: "id is a number", value: with("id", `7`), reason: ReasonUnparsable, detail: "id"},
		{name: "id is too long", value: with("id", `"`+strings.Repeat("x", MaxTextBytes+1)+`"`), reason: ReasonUnparsable, detail: "65 bytes"},
		{name: "id with an escaped control character", value: with("id", `"a\u0000b"`), reason: ReasonUnparsable, detail: "control character"},
		{name: "exchange with DEL", value: with("exchange", "\"a\x7f\""), reason: ReasonUnparsable, detail: "control character"},
		{name: "unparsable wins over a bad symbol", value: `{"symbol":"?","price":"x","volume":1,"timestamp":1}`, reason: ReasonUnparsable},

		{name: "empty symbol", value: with("symbol", `""`), reason: ReasonBadSymbol},
		{name: "space in symbol", value: with("symbol", `"AA PL"`), reason: ReasonBadSymbol},
		{name: "symbol too long", value: with("symbol", `"`+strings.Repeat("A", MaxSymbolBytes+1)+`"`), reason: ReasonBadSymbol},
		{name: "symbol begins with a dot", value: with("symbol", `".A"`), reason: ReasonBadSymbol},
		{name: "lone surrogate in symbol", value: with("symbol", `"A\ud800"`), reason: ReasonBadSymbol},
		{name: "wildcard", value: with("symbol", `"*"`), reason: ReasonBadSymbol},
		{name: "bad symbol wins over a bad volume", value: `{"symbol":"?","price":1,"volume":1.5,"timestamp":1}`, reason: ReasonBadSymbol},

		{name: "price 0", value: with("price", `0`), reason: ReasonBadPrice},
		{name: "price -0", value: with("price", `-0`), reason: ReasonBadPrice},
		{name: "price below 0", value: with("price", `-1.5`), reason: ReasonBadPrice},
		{name: "price too large", value: with("price", `1e999`), reason: ReasonBadPrice, detail: "Inf"},
		{name: "price too small", value: with("price", `1e-999`), reason: ReasonBadPrice},

		{name: "volume below 0", value: with("volume", `-1`), reason: ReasonBadVolume},
		{name: "volume with a fraction", value: with("volume", `1.5`), reason: ReasonBadVolume},
		{name: "volume too large", value: with("volume", `9223372036854775808`), reason: ReasonBadVolume},
		{name: "volume infinite", value: with("volume", `1e999`), reason: ReasonBadVolume},
		{name: "volume not exact", value: with("volume", `1e17`), reason: ReasonBadVolume},

		{name: "just too far ahead", value: with("timestamp", `"2025-01-02T12:05:00.000000001Z"`), reason: ReasonFuture},
		{name: "year 9999", value: with("timestamp", `"9999-12-31T23:59:59-23:00"`), reason: ReasonFuture},
		{name: "beyond all calendars", value: with("timestamp", `9223372036854775807`), reason: ReasonFuture},
		{name: "beyond numbers", value: with("timestamp", `1e999`), reason: ReasonFuture},

		{name: "another key", value: good, key: "MSFT", reason: ReasonKeyMismatch, detail: "MSFT"},
		{name: "the key in another case", value: good, key: "aapl", reason: ReasonKeyMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecodeTick([]byte(c.value), []byte(c.key), noon)
			var r *RejectError
			if !errors.As(err, &r) {
				t.Fatalf("got %v, want reason %s", err, c.reason)
			}
			if r.Reason != c.reason || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("got %v, want %s with %q", r, c.reason, c.detail)
			}
			if len(r.Error()) > 600 {
				t.Errorf("the error has %d bytes", len(r.Error()))
			}
		})
	}
}

// pad makes s n bytes long with white space.
func pad(s string, n int) string { return s + strings.Repeat(" ", n-len(s)) }

func TestDecodeTickAccepts(t *testing.T) {
	at := func(ns int64) time.Time { return time.Unix(0, ns).UTC() }
	base := Tick{Symbol: "AAPL", Price: 187.23, Volume: 100, Time: noon.Add(-500 * time.Millisecond)}
	but := func(change func(*Tick)) Tick { tick := base; change(&tick); return tick }
	for _, c := range []struct {
		name, value, key string
		want             Tick
	}{
		{"plain", good, "", base},
		{"with its key", good, "AAPL", base},
		{"of the largest size", pad(good, MaxTickBytes), "", base},
		{"with white space", "\r\n\t " + strings.NewReplacer(":", " :\n", ",", "\t,\r\n").Replace(`{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":1735819199.5}`), "", base},
		{"offset", with("timestamp", `"2025-01-02T17:29:59.500+05:30"`), "", base},
		{"nanoseconds", with("timestamp", `"2025-01-02T11:00:00.123456789Z"`), "", but(func(k *Tick) { k.Time = at(1735815600123456789) })},
		{"seconds", with("timestamp", `1735815600`), "", but(func(k *Tick) { k.Time = at(1735815600e9) })},
		{"milliseconds", with("timestamp", `1735815600123`), "", but(func(k *Tick) { k.Time = at(1735815600123e6) })},
		{"seconds with a fraction", with("timestamp", `1735815600.123456`), "", but(func(k *Tick) { k.Time = at(1735815600123456e3) })},
		{"milliseconds with a fraction", with("timestamp", `1735815600123.25`), "", but(func(k *Tick) { k.Time = at(1735815600123250e3) })},
		{"seconds with an exponent", with("timestamp", `1.7358156e9`), "", but(func(k *Tick) { k.Time = at(1735815600e9) })},
		{"a fraction that rounds up", with("timestamp", `1735815599.9999999`), "", but(func(k *Tick) { k.Time = at(1735815600e9) })},
		{"second 0", with("timestamp", `0`), "", but(func(k *Tick) { k.Time = at(0) })},
		{"the last moment", with("timestamp", `"2025-01-02T12:05:00Z"`), "", but(func(k *Tick) { k.Time = noon.Add(MaxAhead) })},
		{"volume 100.0", with("volume", `100.0`), "", base},
		{"volume 1e2", with("volume", `1e2`), "", base},
		{"volume 0", with("volume", `0`), "", but(func(k *Tick) { k.Volume = 0 })},
		{"volume -0", with("volume", `-0`), "", but(func(k *Tick) { k.Volume = 0 })},
		{"the largest volume", with("volume", `9223372036854775807`), "", but(func(k *Tick) { k.Volume = 1<<63 - 1 })},
		{"the smallest price", with("price", `5e-324`), "", but(func(k *Tick) { k.Price = 5e-324 })},
		{"a price with an exponent", with("price", `1.8723E+2`), "", base},
		{"the longest symbol", with("symbol", `"`+strings.Repeat("A", MaxSymbolBytes)+`"`), "", but(func(k *Tick) { k.Symbol = strings.Repeat("A", MaxSymbolBytes) })},
		{"an escaped symbol", with("symbol", `"BTC\/\u0055SD"`), "BTC/USD", but(func(k *Tick) { k.Symbol = "BTC/USD" })},
		{"an escaped name", strings.Replace(good, "symbol", `\u0073ymbol`, 1), "", base},
		{"the last one counts", `{"price":1,"volume":"x",` + good[1:], "", base},
		{"a fault that is made good", `{"bid":"x","id":1,"timestamp":"never","bid":null,"id":null,` + good[1:], "", base},
		{"null optionals", good[:len(good)-1] + `,"id":null,"exchange":null,"bid":null,"ask":null}`, "", base},
		{
			"optionals", good[:len(good)-1] + `,"id":"7","exchange":"XNAS","bid":187.22,"ask":187.24}`, "",
			but(func(k *Tick) { k.ID, k.Exchange, k.Bid, k.Ask = "7", "XNAS", 187.22, 187.24 }),
		},
		{"a lone surrogate in a text", with("id", `"\ud800"`), "", but(func(k *Tick) { k.ID = "\ufffd" })},
		{"quotes in a text", with("id", `"\"\\"`), "", but(func(k *Tick) { k.ID = `"\` })},
		{"one unknown member", with("x", `{"a":[1,2]}`), "", but(func(k *Tick) { k.Extra = []byte(`"x":{"a":[1,2]}`) })},
		{"unknown members side by side", with("x", `1,"y" : 2`), "", but(func(k *Tick) { k.Extra = []byte(`"x":1,"y" : 2`) })},
		{"unknown members apart", `{"x":1,` + good[1:len(good)-1] + `,"y":{},"z":"\ud800"}`, "", but(func(k *Tick) { k.Extra = []byte(`"x":1,"y":{},"z":"\ud800"`) })},
		{"as deep as can be", with("x", strings.Repeat("[", maxDepth+1)+strings.Repeat("]", maxDepth+1)), "", but(func(k *Tick) {
			k.Extra = []byte(`"x":` + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1))
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecodeTick([]byte(c.value), []byte(c.key), noon)
			if err != nil {
				t.Fatal(err)
			}
			if !same(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// same compares all of two ticks.
func same(a, b Tick) bool {
	return a.Symbol == b.Symbol && a.Price == b.Price && a.Volume == b.Volume && a.Time.Equal(b.Time) && a.Time.Location() == b.Time.Location() &&
		a.ID == b.ID && a.Exchange == b.Exchange && a.Bid == b.Bid && a.Ask == b.Ask && string(a.Extra) == string(b.Extra)
}

// An extra member must not be overwritten by somebody who appends to Extra.
func TestExtraHasNoRoomBehind(t *testing.T) {
	value := []byte(with("x", "1"))
	tick, err := DecodeTick(value, nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(tick.Extra, '!')
	if string(value) != with("x", "1") {
		t.Errorf("the decoded bytes are now %s", value)
	}
}

// What a message mirrors is what its record said, whatever its subject promises.
func TestTickOfAMessage(t *testing.T) {
	for _, symbol := range []string{"AAPL", "BRK.B", "BTC/USD"} {
		data := []byte(`{"symbol":"` + symbol + `","price":1.5,"volume":2,"timestamp":"2025-01-02T15:04:05.123Z"}`)
		want, err := DecodeTick(data, nil, AnyTime)
		if err != nil {
			t.Fatal(err)
		}
		for _, subject := range []string{TickSubject(symbol), TickSubject("MSFT"), "ticks.%", ""} {
			m := Message{Subject: subject, Data: data}
			if got, err := m.Tick(); err != nil || !same(got, want) {
				t.Errorf("%s on %q: %+v, %v", symbol, subject, got, err)
			}
		}
	}
	m := Message{Subject: TickSubject("AAPL"), Data: []byte(`{"symbol":"AAPL"}`)}
	if _, err := m.Tick(); err == nil {
		t.Error("a tick without a price")
	}
}
