package api

import (
	"strconv"
	"time"

	"streamflow"
)

// The hops that this package adds to those of the message.
const (
	hopStream = "stream"
	hopAPI    = "api"
)

// appendData appends what a subscriber is sent for one tick:
//
//	{"subject":"ticks.AAPL","seq":123,"data":{...},"hops":{"kafka":1763690000123.4,...}}
func appendData(b []byte, subject string, m *streamflow.Mirrored, taken time.Time) []byte {
	b = append(b, `{"subject":"`...)
	b = append(b, subject...) // a token holds nothing that JSON escapes
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, m.Sequence, 10)
	b = append(b, `,"data":`...)
	b = m.Tick.AppendJSON(b)
	b = append(b, `,"hops":{`...)
	for _, h := range m.Hops {
		if plainName(h.Name) && h.Name != hopStream && h.Name != hopAPI {
			b = append(appendHop(b, h.Name, h.At), ',')
		}
	}
	b = append(appendHop(b, hopStream, m.Stored), ',')
	b = appendHop(b, hopAPI, taken)
	return append(b, "}}"...)
}

// appendHop writes a time as unix milliseconds with three decimals.
func appendHop(b []byte, name string, at time.Time) []byte {
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":`...)
	micros := max(at.UnixMicro(), 0)
	b = strconv.AppendInt(b, micros/1000, 10)
	rest := micros % 1000
	return append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

// plainName keeps what a header says from breaking the JSON around it.
func plainName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}
