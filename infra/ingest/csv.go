package ingest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"streamflow"
)

// CSV says how lines of CSV become records.
type CSV struct {
	Comma  byte              // between fields; 0 is ','
	Rename map[string]string // member by column, where they differ
	Ignore []string          // columns that are left out
	// Texts are the members that are texts even if they look like numbers.
	Texts []string
	// Required members must have a column.
	Required []string
}

// ExtraColumn is a column that holds further members, as one JSON object.
const ExtraColumn = "extra"

func (c *CSV) comma() byte { return cmp.Or(c.Comma, ',') }

// columns is what a header says: a member for each field, "" for none.
type columns struct {
	csv     *CSV
	members []string
}

// read reads the header.
func (c *CSV) read(header string) (*columns, error) {
	fields, err := c.split([]byte(header), nil)
	if err != nil {
		return nil, fmt.Errorf("the header %.100q: %w", header, err)
	}
	l := &columns{csv: c}
	for _, f := range fields {
		name := strings.TrimSpace(string(f))
		if to, ok := c.Rename[name]; ok {
			name = to
		} else if slices.Contains(c.Ignore, name) {
			name = ""
		}
		if name != "" && slices.Contains(l.members, name) {
			return nil, fmt.Errorf("the header %.200q: two columns are %s", header, name)
		}
		l.members = append(l.members, name)
	}
	for _, name := range c.Required {
		if !slices.Contains(l.members, name) {
			return nil, fmt.Errorf("the header %.200q has no column %s: name the one that holds it with --column %s=NAME", header, name, name)
		}
	}
	return l, nil
}

var (
	errQuote  = errors.New("a quote stands where none may")
	errFields = errors.New("another number of fields than the header")
)

// split parts a record (RFC 4180). Fields alias it where they can.
func (c *CSV) split(record []byte, fields [][]byte) ([][]byte, error) {
	comma := c.comma()
	for {
		var field []byte
		if len(record) > 0 && record[0] == '"' {
			end := 1
			for ; ; end++ {
				i := bytes.IndexByte(record[end:], '"')
				if i < 0 {
					return nil, errQuote
				}
				if end += i; end+1 == len(record) || record[end+1] != '"' {
					break
				}
				end++
			}
			field = bytes.ReplaceAll(record[1:end], []byte(`""`), []byte(`"`))
			record = record[end+1:]
			if len(record) > 0 && record[0] != comma {
				return nil, errQuote
			}
		} else {
			end := bytes.IndexByte(record, comma)
			if end < 0 {
				end = len(record)
			}
			if field = record[:end]; bytes.IndexByte(field, '"') >= 0 {
				return nil, errQuote
			}
			record = record[end:]
		}
		if fields = append(fields, field); len(record) == 0 {
			return fields, nil
		}
		record = record[1:]
	}
}

// object turns a record into a JSON object. An empty field is no member.
func (l *columns) object(record []byte) ([]byte, error) {
	fields, err := l.csv.split(record, make([][]byte, 0, len(l.members)))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(fields) != len(l.members) {
		return nil, unreadable(fmt.Errorf("%w: %d for %d", errFields, len(fields), len(l.members)))
	}
	b := []byte{'{'}
	for i, name := range l.members {
		if name == "" || len(fields[i]) == 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		if name == ExtraColumn {
			inner := bytes.TrimSpace(fields[i])
			if len(inner) < 2 || inner[0] != '{' || !json.Valid(inner) {
				return nil, unreadable(fmt.Errorf("column %s: want one JSON object", ExtraColumn))
			}
			if inner = bytes.TrimSpace(inner[1 : len(inner)-1]); len(inner) == 0 {
				b = bytes.TrimSuffix(b, []byte{','})
			}
			b = append(b, inner...)
			continue
		}
		b = append(quote(b, string(bytes.ToValidUTF8([]byte(name), []byte("?")))), ':')
		if f := bytes.TrimSpace(fields[i]); !slices.Contains(l.csv.Texts, name) && isNumber(f) {
			b = append(b, f...)
		} else {
			b = quote(b, streamflow.CellText(string(fields[i])))
		}
	}
	return append(b, '}'), nil
}

func unreadable(err error) error {
	return &streamflow.RejectError{Reason: streamflow.ReasonUnparsable, Detail: "no record of CSV: " + err.Error()}
}

// isNumber reports whether JSON would read b as a number: 007 is none.
func isNumber(b []byte) bool {
	return len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9') && json.Valid(b)
}

// quote leaves bytes that are no UTF-8 as they are, for the schema to refuse.
func quote(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
