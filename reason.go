package streamflow

import "fmt"

// Reason is the code under which a message is refused.
type Reason string

// The reasons, in the order in which they are checked.
const (
	ReasonTooLarge    Reason = "too_large"        // longer than the limit
	ReasonNoRegistry  Reason = "no_registry"      // [Framed], and no schema registry is set
	ReasonNoSchema    Reason = "unknown_schema"   // [Framed], and the registry does not know its schema
	ReasonBadSchema   Reason = "bad_schema"       // [Framed], and its schema cannot be used
	ReasonUndecodable Reason = "undecodable"      // [Framed], and not what its schema describes
	ReasonNotUTF8     Reason = "not_utf8"         // not valid UTF-8
	ReasonNotJSON     Reason = "not_json"         // not one JSON object
	ReasonMissing     Reason = "missing_field"    // a required field is not there: of a tick symbol, price, volume or timestamp
	ReasonUnparsable  Reason = "unparsable_field" // a field has the wrong type or form
	ReasonBadSymbol   Reason = "bad_symbol"       // outside the alphabet or the length of a symbol
	ReasonBadPrice    Reason = "bad_price"        // not finite, or not above 0 (of an event: below 0)
	ReasonBadVolume   Reason = "bad_volume"       // negative, or not integral
	ReasonFuture      Reason = "future_timestamp" // more than [MaxAhead] ahead of the clock
	ReasonKeyMismatch Reason = "key_mismatch"     // the record's key is not the symbol
)

// Reasons are all of them.
var Reasons = []Reason{
	ReasonTooLarge, ReasonNoRegistry, ReasonNoSchema, ReasonBadSchema, ReasonUndecodable, ReasonNotUTF8, ReasonNotJSON, ReasonMissing,
	ReasonUnparsable, ReasonBadSymbol, ReasonBadPrice, ReasonBadVolume, ReasonFuture, ReasonKeyMismatch,
}

// RejectError says why a message was refused. Detail is for a person and names
// the field and the offending value.
type RejectError struct {
	Reason Reason
	Detail string
}

func (e *RejectError) Error() string { return string(e.Reason) + ": " + e.Detail }

func reject(r Reason, format string, args ...any) *RejectError {
	return &RejectError{Reason: r, Detail: fmt.Sprintf(format, args...)}
}
