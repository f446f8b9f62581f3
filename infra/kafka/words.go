package kafka

import (
	"strconv"
	"strings"
	"time"
)

// setting writes a setting for a person: "retention 24h", "cleanup.policy compact".
func setting(key, v string) string {
	name := key
	if key == retentionKey {
		name = "retention"
	}
	return name + " " + value(key, v)
}

// value writes the value of a setting for a person.
func value(key, v string) string {
	if v == "" {
		return `""`
	}
	ms, err := strconv.ParseInt(v, 10, 64)
	switch {
	case key != retentionKey || err != nil:
		return v
	case ms < 0:
		return "for ever"
	}
	return duration(time.Duration(ms) * time.Millisecond)
}

// duration writes 24h0m0s as 24h.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
