package streamflow

import (
	"net/netip"
	"strings"
	"time"
)

// TypeLogin is the type of a [UserEvent] that says that a user has logged in.
const TypeLogin = "login"

// MaxEmailBytes is how long an e-mail address may be (RFC 5321).
const MaxEmailBytes = 254

// UserEvent is something that a user did at Time (UTC), such as to log in.
type UserEvent struct {
	User  string
	Email string // masked, unless it was read from Kafka; see [Mask]
	Type  string // such as [TypeLogin]
	IP    string // "" if unknown
	Time  time.Time
	// Extra holds the members that StreamFlow does not know; see [Tick].
	Extra []byte
}

// DecodeUserEvent reads one record of topic [TopicUserEvents], masked or not:
//
//	{"user_id":"u-7","user_email":"ada@example.com","type":"login","ip":"192.0.2.7","timestamp":"2025-01-02T15:04:05Z"}
//
// ip may be missing. Texts have 1 to [MaxTextBytes] bytes, type only A-Z a-z 0-9
// . _ -; the timestamp may have the forms of a tick's. Other members are kept in
// Extra.
//
// The error is a [*RejectError]. It names what is wrong and quotes nothing of
// it. The event's Extra aliases value.
func DecodeUserEvent(value []byte, now time.Time) (UserEvent, error) {
	var e UserEvent
	var err error
	e.Extra, err = decodeRecord(value, []field{
		{"user_id", true, wantText, textInto(&e.User)},
		{"user_email", true, "an e-mail address, or one that is masked", func(raw []byte) bool {
			if raw[0] == '"' {
				e.Email = unquote(raw)
			}
			return masked(e.Email) || validEmail(e.Email)
		}},
		{"type", true, wantType, typeInto(&e.Type)},
		{"ip", false, "an IP address", func(raw []byte) bool {
			t, fault := text("", raw)
			e.IP = t
			_, err := netip.ParseAddr(t)
			return fault == nil && err == nil
		}},
		{"timestamp", true, wantTime, timeInto(&e.Time)},
	})
	if err == nil {
		err = notAhead(e.Time, now)
	}
	if err != nil {
		return UserEvent{}, err
	}
	return e, nil
}

// validEmail reports whether s may be an address: something on both sides of
// its last @, and nothing that a line of a mail's head could not hold. Whether
// anybody has it only a mail can tell.
func validEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && len(s) <= MaxEmailBytes && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == '\uFFFD'
	})
}
