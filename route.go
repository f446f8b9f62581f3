package streamflow

import (
	"strings"
	"time"
)

// Route says how the bridge carries a topic.
type Route struct {
	Topic  string
	Stream string
	// Subject is a template: its "*" stands for the token of the name that Schema
	// returns. As a subscription it takes all of the route.
	Subject string
	Schema  Schema
	// Members are those that Schema knows; it lets others pass.
	Members []Member
	// Mask lists the members of a record that are masked, at any depth, before
	// it enters a stream; see [Mask]. The Schema of a route that masks must not
	// quote a record in its errors.
	Mask []string
}

// Schema checks a record of a topic and returns the name that its subject ends
// with: a symbol, the type of an event. now is the clock against which times
// are checked. The error is a [*RejectError].
type Schema func(value, key []byte, now time.Time) (name string, err error)

// SubjectOf returns the subject of records of that name.
func (r Route) SubjectOf(name string) string {
	before, after, _ := strings.Cut(r.Subject, "*")
	return before + Token(name) + after
}

// TickRoute carries ticks from topic, which is [TopicTicks] unless it is named
// otherwise: [TickSubject] in [StreamTicks].
func TickRoute(topic string) Route {
	return Route{
		Topic: topic, Stream: StreamTicks, Subject: "ticks.*",
		Members: members(4, "symbol", "price", "volume", "timestamp", "id", "exchange", "bid", "ask"),
		Schema: func(value, key []byte, now time.Time) (string, error) {
			t, err := DecodeTick(value, key, now)
			return t.Symbol, err
		},
	}
}

// EventRoute carries e-commerce events from topic, such as [TopicEvents]:
// [EventSubject] in [StreamEvents]. The record's key may be anything.
func EventRoute(topic string) Route {
	return Route{
		Topic: topic, Stream: StreamEvents, Subject: "events." + Token(topic) + ".*",
		Members: members(4, "event_id", "type", "price", "timestamp", "user_id", "product_id", "currency"),
		Schema: func(value, _ []byte, now time.Time) (string, error) {
			e, err := DecodeEvent(value, now)
			return e.Type, err
		},
	}
}

// UserEventRoute carries what users do, such as logins, from topic, such as
// [TopicUserEvents]: [EventSubject] in [StreamEvents], the e-mail address masked.
func UserEventRoute(topic string) Route {
	return Route{
		Topic: topic, Stream: StreamEvents, Subject: "events." + Token(topic) + ".*", Mask: []string{"user_email"},
		Members: members(4, "user_id", "user_email", "type", "timestamp", "ip"),
		Schema: func(value, _ []byte, now time.Time) (string, error) {
			e, err := DecodeUserEvent(value, now)
			return e.Type, err
		},
	}
}
