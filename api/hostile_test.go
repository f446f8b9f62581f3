package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// hostile are values that no parameter and no field should get.
var hostile = []string{
	"", " ", "\x00", "a\x00b", "\xff\xfe", "\xc0\xaf", "\xed\xa0\x80", "é😀", "\u202e", "\ufeff", strings.Repeat("x", 5000), strings.Repeat("é", 300),
	"'", "''", "' OR '1'='1", "'; DROP TABLE stock_ticks; --", "1; SELECT pg_sleep(10)", "1 UNION SELECT * FROM pg_shadow", "\\", "%", "%%", "%s%n", "%27", "$1", "$(id)", "`id`", "${jndi:ldap://x}", "{{7*7}}",
	"<script>alert(1)</script>", "../../etc/passwd", "..\\..\\etc", "/etc/passwd", "file:///etc/passwd", "//evil.example", "a\r\nSet-Cookie: x=1", "a\nb", "\t", ">", "*", "ticks.>", "a.b", "$JS.API.>", "cursor.stock_ticks.0",
	"0", "-0", "-1", "1e309", "-1e309", "NaN", "Infinity", "0x10", "1_000", "٣", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "18446744073709551616", strings.Repeat("9", 400), "1.5", "1e-400",
	"null", "true", "[]", "{}", `{"a":1}`, `"`, `W/"1"`, "*, \"1\"", "0000-00-00T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "10000-01-01T00:00:00Z", "2025-02-30T00:00:00Z", "2025-11-21T14:30:00+25:00", "-292277022399-01-01T00:00:00Z",
	"sma(20)", "sma(99999999999)", "sma(-1)", "sma(((((", strings.Repeat("(", 3000), "price above 1 and (price below 2 or rsi(14, 1m) > 70)", "1m", "24h", "-5m", "292y", "AAPL", "stock_ticks", "candles", "logins", "logins", "logins", "-",
}

// attacker makes requests out of what the document says, and out of what it
// forbids.
type attacker struct {
	*rand.Rand
	schemas huma.Registry
	plain   bool // the next request is as the examples have it
}

// request makes a request for an operation. Most of it is as it should be, so
// that what is not gets far.
func (a *attacker) request(op *huma.Operation) (*http.Request, string) {
	path, query, headers := op.Path, url.Values{}, http.Header{}
	a.plain = a.IntN(4) == 0
	for _, p := range op.Parameters {
		switch {
		case p.In == "path":
			path = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(a.parameter(p)), 1)
		case !p.Required && (a.plain || a.IntN(2) == 0):
		case p.In == "query":
			for range 1 + a.IntN(2)*a.IntN(2) {
				query.Add(p.Name, a.parameter(p))
			}
		case p.In == "header":
			headers.Set(p.Name, a.parameter(p))
		}
	}
	if !a.plain && a.IntN(10) == 0 {
		query.Add(a.pick(hostile), a.pick(hostile))
	}
	address := path + "?" + query.Encode()
	if a.IntN(20) == 0 {
		address = path + "?" + a.pick([]string{"%", "a=%zz", ";", "a;b=1", "&&&=", "=", "%00=%00", "from=%ff"})
	}
	u, err := url.ParseRequestURI(address)
	if err != nil {
		return nil, address
	}
	body := []byte(nil)
	if op.RequestBody != nil {
		if content := op.RequestBody.Content["application/json"]; a.plain {
			body, _ = json.Marshal(content.Example)
		} else {
			body = a.body(content.Schema)
		}
		headers.Set("Content-Type", "application/json")
		if a.IntN(15) == 0 {
			headers.Set("Content-Type", a.pick([]string{"", "text/plain", "application/json; charset=utf-16", "application/cbor", "multipart/form-data", "application/x-www-form-urlencoded", "\x00", "application/merge-patch+json"}))
		}
	}
	if a.IntN(10) == 0 {
		headers.Set(a.pick([]string{"Accept", "Accept-Encoding", "If-Match", "If-None-Match", "Range", "X-Request-Id", "Transfer-Encoding", "X-Http-Method-Override", "Cookie"}), a.pick(hostile))
	}
	r := httptest.NewRequest(op.Method, "http://127.0.0.1/", bytes.NewReader(body))
	r.URL, r.RequestURI, r.Header, r.RemoteAddr = u, address, headers, "127.0.0.1:1"
	return r, fmt.Sprintf("%s %.300s %.300q headers %.300q", op.Method, address, body, headers)
}

func (a *attacker) pick(from []string) string { return from[a.IntN(len(from))] }

// parameter makes the text of a parameter.
func (a *attacker) parameter(p *huma.Param) string {
	if a.plain {
		return plain(p)
	}
	if a.IntN(3) == 0 {
		return a.pick(hostile)
	}
	if p.Example != nil && a.IntN(2) == 0 {
		return fmt.Sprint(p.Example)
	}
	switch v := a.value(p.Schema, 0).(type) {
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			texts[i] = fmt.Sprint(v[i])
		}
		return strings.Join(texts, ",")
	case string:
		return v
	default:
		data, _ := json.Marshal(v)
		return string(data)
	}
}

// plain is a parameter as the document shows it.
func plain(p *huma.Param) string {
	v := p.Example
	if p.Name == "function" {
		v = "logins" // the one with results that the fakes have
	}
	if v == nil && len(p.Schema.Examples) > 0 {
		v = p.Schema.Examples[0]
	}
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// body makes a body: of the schema, with a fault or two, or of anything.
func (a *attacker) body(s *huma.Schema) []byte {
	switch a.IntN(20) {
	case 0:
		return []byte(a.pick(hostile))
	case 1:
		return []byte(strings.Repeat(`[`, 20_000))
	case 2:
		return []byte(strings.Repeat(`{"a":`, 5_000) + "1" + strings.Repeat("}", 5_000))
	case 3:
		return []byte(`{"` + strings.Repeat("x", 70<<10) + `":1}`)
	}
	data, err := json.Marshal(a.value(s, 0))
	if err != nil {
		return nil
	}
	switch a.IntN(20) {
	case 0:
		return data[:a.IntN(len(data)+1)]
	case 1:
		data[a.IntN(len(data))] = byte(a.IntN(256))
	case 2:
		return append(data, data...)
	case 3:
		return bytes.ReplaceAll(data, []byte(`":`), []byte(`":1,"a":`))
	}
	return data
}

// value makes a JSON value of a schema, now and then another one.
func (a *attacker) value(s *huma.Schema, depth int) any {
	for s.Ref != "" {
		s = a.schemas.SchemaFromRef(s.Ref)
	}
	if depth > 5 {
		return nil
	}
	if a.IntN(25) == 0 {
		return a.anything(depth)
	}
	switch {
	case len(s.OneOf) > 0:
		return a.value(s.OneOf[a.IntN(len(s.OneOf))], depth)
	case len(s.Enum) > 0 && a.IntN(8) > 0:
		return s.Enum[a.IntN(len(s.Enum))]
	case len(s.Examples) > 0 && a.IntN(3) > 0:
		return s.Examples[0]
	}
	switch s.Type {
	case huma.TypeObject:
		return a.object(s, depth)
	case huma.TypeArray:
		list := []any{}
		for range []int{0, 1, 1, 2, 3, 1100}[min(a.IntN(40), 5)*a.IntN(2)] {
			if list = append(list, a.value(s.Items, depth+1)); len(list) > 3 {
				list = append(list, list[0])
			}
		}
		return list
	case huma.TypeInteger, huma.TypeNumber:
		return a.number(s)
	case huma.TypeBoolean:
		return a.IntN(2) == 0
	case huma.TypeString:
		if s.Format == "date-time" && a.IntN(4) > 0 {
			return fmt.Sprintf("20%02d-11-21T14:30:00Z", 20+a.IntN(10))
		}
	}
	return a.pick(hostile)
}

func (a *attacker) object(s *huma.Schema, depth int) any {
	object := map[string]any{}
	for name, p := range s.Properties {
		if slices.Contains(s.Required, name) && a.IntN(20) > 0 || a.IntN(2) == 0 {
			object[name] = a.value(p, depth+1)
		}
	}
	if a.IntN(15) == 0 {
		object[a.pick(hostile)] = a.anything(depth)
	}
	return object
}

func (a *attacker) number(s *huma.Schema) any {
	of := []any{0, 1, -1, 2, 10, 100, 1000, 0.5, 1e300, -1e300, int64(math.MaxInt64), int64(math.MinInt64), json.Number("1e400"), json.Number("123456789012345678901234567890")}
	for _, bound := range []*float64{s.Minimum, s.Maximum, s.ExclusiveMinimum, s.ExclusiveMaximum} {
		if bound != nil {
			of = append(of, *bound, *bound, *bound-1, *bound+1)
		}
	}
	return of[a.IntN(len(of))]
}

func (a *attacker) anything(depth int) any {
	switch a.IntN(6) {
	case 0:
		return nil
	case 1:
		return a.IntN(2) == 0
	case 2:
		return a.Int64() - math.MaxInt64/2
	case 3:
		return []any{a.pick(hostile), depth, nil}
	case 4:
		return map[string]any{a.pick(hostile): a.pick(hostile)}
	}
	return a.pick(hostile)
}
