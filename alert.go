package streamflow

import (
	"time"
)

// Severity says how much an alert matters.
type Severity string

// The severities, the least first.
const (
	SeverityInfo     Severity = "info"
	SeverityWarning  Severity = "warning"
	SeverityCritical Severity = "critical"
)

// Rule says when an alert is to be raised. It is kept in bucket [BucketRules]
// under its ID, as JSON; the function alerts checks it and says what is wrong.
type Rule struct {
	ID     string `json:"id"`             // 1 to 64 of a-z 0-9 - _
	Name   string `json:"name,omitempty"` // for people
	Symbol string `json:"symbol"`         // one symbol, or "*" for each
	// When is the condition, such as "price crosses above 200" or
	// "rsi(14, 1m) > 70": docs/alerts.md has the grammar.
	When     string   `json:"when"`
	Severity Severity `json:"severity,omitempty"` // "" is info
	// Cooldown is how long the rule is silent for a symbol after it fired, a Go
	// duration such as "5m"; "" is none.
	Cooldown string `json:"cooldown,omitempty"`
	// Hysteresis is how far, in units of what is compared, the value must go
	// back over the bound before the rule may fire again. It is for conditions of
	// one test.
	Hysteresis float64   `json:"hysteresis,omitempty"`
	Expires    time.Time `json:"expires,omitzero"` // from then on it does not fire; zero is never
	Disabled   bool      `json:"disabled,omitempty"`
	Created    time.Time `json:"created,omitzero"`
	Updated    time.Time `json:"updated,omitzero"`
}

// Alert says that a rule has fired: on [AlertSubject], in table alerts and
// topic stock_alerts.
type Alert struct {
	// ID is the same however often it is derived: a hash, in 32 hexadecimal digits,
	// of the rule, the symbol and the occasion (a tick's position, the end of a
	// candle, the end of a silence).
	ID       string             `json:"id"`
	Rule     string             `json:"rule"` // its ID
	Name     string             `json:"name,omitempty"`
	Symbol   string             `json:"symbol"`
	When     string             `json:"when"` // the condition as it stood
	Severity Severity           `json:"severity"`
	Time     time.Time          `json:"time"`               // event time of the tick, end of the candle, or when the silence had lasted that long
	Price    float64            `json:"price"`              // of the last tick; 0 if there was none
	Values   map[string]float64 `json:"values"`             // what was compared, by name
	Text     string             `json:"text"`               // one sentence for a person
	Position string             `json:"position,omitempty"` // of the last tick in Kafka
}
