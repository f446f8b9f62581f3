package ingest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What encoding/csv reads we read too, and alike; and what we read becomes JSON.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a,b", `"a ""b""",,`, "\"x\ny\",1", `"`, `a"b`, "007,1e5,-", "\x00,\x1f"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		fields, err := (&CSV{}).split(record, nil)
		in := csv.NewReader(bytes.NewReader(record))
		want, theirs := in.Read()
		if theirs == nil && in.InputOffset() == int64(len(record)) && !bytes.ContainsAny(record, "\r\n") {
			if err != nil {
				t.Fatalf("%q: %v", record, err)
			}
			for i, field := range want {
				if string(fields[i]) != field {
					t.Fatalf("%q: field %d is %q, want %q", record, i, fields[i], field)
				}
			}
		}
		if err != nil {
			return
		}
		l := columns{csv: &CSV{}}
		for i := range fields {
			l.members = append(l.members, "m"+strings.Repeat("x", i))
		}
		object, err := l.object(record)
		if err != nil {
			t.Fatal(err)
		}
		if utf8.Valid(record) && !json.Valid(object) {
			t.Fatalf("%q became %q, which is no JSON", record, object)
		}
	})
}

// However the bytes come in, the records are the same.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("a\nb\r\n\n\"x\ny\"\n\x00\x00c"), 3, true)
	f.Add([]byte("\uFEFFa\n"), 1, false)
	f.Fuzz(func(t *testing.T, text []byte, step int, quotes bool) {
		step = min(max(step, 1), 1<<10)
		comma := byte(0)
		if quotes {
			comma = ','
		}
		split := func(step int) (all []string) {
			chunks := make(chan []byte, len(text)/step+1)
			for part := range slices.Chunk(text, step) {
				chunks <- part
			}
			close(chunks)
			s := &source{stream: chunks}
			for last := false; ; {
				record, _, what := s.record(comma, last)
				switch {
				case what == foundRecord:
					all = append(all, string(record))
					continue
				case what == foundLong:
					s.skip()
					continue
				case what == foundCut:
					continue
				case last:
					return all
				}
				if _, err := s.fill(); err != nil {
					t.Fatal(err)
				}
				last = s.ended
			}
		}
		if one, many := split(len(text)+1), split(step); !slices.Equal(one, many) {
			t.Fatalf("%q in steps of %d: %q, want %q", text, step, many, one)
		}
	})
}
