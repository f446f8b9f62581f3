package api

import (
	"encoding/base64"
	"errors"
	"strconv"
	"time"
)

var errCursor = errors.New("the cursor is broken")

// opaque makes the text of a cursor that nobody is tempted to take apart.
func opaque(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// transparent reads what opaque makes, and nothing else.
func transparent(s string) (string, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || opaque(string(b)) != s {
		return "", errCursor
	}
	return string(b), nil
}

func badCursor(s string, err error) error {
	return badField("query.cursor", s, "%v: take it from \"next\" of the page before", err)
}

// microText is how a time stands in a cursor: the database knows microseconds.
func microText(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

// microTime reads what microText makes.
func microTime(s string) (time.Time, error) {
	micros, err := strconv.ParseInt(s, 10, 64)
	t := time.UnixMicro(micros).UTC()
	if err != nil || t.Year() < 0 || t.Year() > 9999 || microText(t) != s {
		return time.Time{}, errCursor
	}
	return t, nil
}
