package streamflow

import (
	"math"
	"time"
)

// Event is something that happened in a shop: at Time (UTC), User did Type with
// Product, which costs Price.
type Event struct {
	ID       string // of the event at its source
	Type     string // such as view, add_to_cart, purchase
	User     string // "" if unknown
	Product  string // "" if unknown
	Price    float64
	Currency string // ISO 4217, "" if unknown
	Time     time.Time
	// Extra holds the members that StreamFlow does not know; see [Tick].
	Extra []byte
}

// DecodeEvent reads one Kafka record of topic [TopicEvents]:
//
//	{"event_id":"e-1","type":"purchase","user_id":"u-7","product_id":"p-3","price":19.99,"currency":"EUR","timestamp":"2025-01-02T15:04:05Z"}
//
// user_id, product_id and currency may be missing. price is a finite number
// from 0, for some things are free. Texts have 1 to [MaxTextBytes] bytes,
// type only A-Z a-z 0-9 . _ -; the timestamp may have the forms of a tick's.
// Other members are kept in Extra.
//
// The error is a [*RejectError]. The event's Extra aliases value.
func DecodeEvent(value []byte, now time.Time) (Event, error) {
	var e Event
	var err error
	e.Extra, err = decodeRecord(value, []field{
		{"event_id", true, wantText, textInto(&e.ID)},
		{"type", true, wantType, typeInto(&e.Type)},
		{"user_id", false, wantText, textInto(&e.User)},
		{"product_id", false, wantText, textInto(&e.Product)},
		{"price", true, "a number", func(raw []byte) bool {
			f, fault := number("", raw)
			e.Price = f
			return fault == nil
		}},
		{"currency", false, "three letters A-Z (ISO 4217)", func(raw []byte) bool {
			t, fault := text("", raw)
			e.Currency = t
			return fault == nil && validCurrency(t)
		}},
		{"timestamp", true, wantTime, timeInto(&e.Time)},
	})
	if err != nil {
		return Event{}, err
	}
	if !(e.Price >= 0) || math.IsInf(e.Price, 0) {
		return Event{}, reject(ReasonBadPrice, "price %v: want a finite number from 0", e.Price)
	}
	if err := notAhead(e.Time, now); err != nil {
		return Event{}, err
	}
	return e, nil
}

func validCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}
