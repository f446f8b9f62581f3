package schemas

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"streamflow"
)

// maxDepth is how deep the text may be nested: no reader takes more.
const maxDepth = 64

// writer writes JSON text. The first fault stays, and nothing is written behind it.
type writer struct {
	b     []byte
	depth int
	err   error
}

// room reports whether the text may grow further.
func (w *writer) room() bool {
	if w.err == nil && len(w.b) > streamflow.MaxRecordBytes {
		w.err = refuse(streamflow.ReasonTooLarge, "as JSON it has more than %d bytes", streamflow.MaxRecordBytes)
	}
	return w.err == nil
}

func (w *writer) raw(s string) {
	if w.room() {
		w.b = append(w.b, s...)
	}
}

// open begins an object or an array; the caller ends it with close.
func (w *writer) open(c byte) {
	if w.depth++; w.depth > maxDepth && w.err == nil {
		w.err = errors.New("it is nested deeper than " + strconv.Itoa(maxDepth))
	}
	w.b = append(w.b, c)
}

func (w *writer) close(c byte) {
	w.depth--
	w.b = append(w.b, c)
}

// item begins the next item of an array.
func (w *writer) item() {
	if last := w.b[len(w.b)-1]; last != '[' && last != '{' {
		w.b = append(w.b, ',')
	}
}

// name begins the next member of an object.
func (w *writer) name(s string) {
	w.item()
	w.text(s)
	w.raw(":")
}

// text writes a JSON string.
func (w *writer) text(s string) {
	if !w.room() {
		return
	}
	if !utf8.ValidString(s) {
		w.err = refuse(streamflow.ReasonNotUTF8, "a text is not valid UTF-8")
		return
	}
	const hex = "0123456789abcdef"
	w.b = append(w.b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			w.b = append(w.b, '\\', c)
		case c < 0x20:
			w.b = append(w.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			w.b = append(w.b, c)
		}
	}
	w.b = append(w.b, '"')
}

func (w *writer) bytes(b []byte) { w.text(base64.StdEncoding.EncodeToString(b)) }

func (w *writer) integer(n int64) { w.raw(strconv.FormatInt(n, 10)) }

func (w *writer) bool(v bool) { w.raw(strconv.FormatBool(v)) }

// float writes a number of that many bits, shortly. What JSON has no number for
// becomes a text, as with Protobuf.
func (w *writer) float(f float64, bits int) {
	switch {
	case math.IsNaN(f):
		w.text("NaN")
	case math.IsInf(f, 1):
		w.text("Infinity")
	case math.IsInf(f, -1):
		w.text("-Infinity")
	default:
		w.raw(strconv.FormatFloat(f, 'g', -1, bits))
	}
}

// time writes a time by a layout of package time.
func (w *writer) time(t time.Time, layout string) {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		if w.err == nil {
			w.err = errors.New("a time lies beyond the years 1 to 9999")
		}
		return
	}
	w.text(t.Format(layout))
}

// Layouts of times that have no zone.
const (
	layoutDate  = time.DateOnly
	layoutLocal = "2006-01-02T15:04:05.999999999"
	layoutClock = "15:04:05.999999999"
)
