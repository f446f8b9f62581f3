package api

import (
	"context"
	"iter"
	"time"

	"streamflow"
)

// Market is what the operations about candles, rules and alerts need. Newest may
// be nil for good: then no candle that grows is shown.
type Market struct {
	Candles  Candles
	Alerts   Alerts
	Rules    Rules
	Formulas Formulas
	Newest   Newest
}

// Candles is the table of candles.
type Candles interface {
	// Candles returns what q asks for.
	Candles(ctx context.Context, q CandlesQuery) ([]streamflow.Candle, error)
}

// CandlesQuery asks for the stored candles of one symbol and interval, by start.
type CandlesQuery struct {
	Symbol     string
	Interval   streamflow.Interval
	From, To   time.Time // of starts, half-open [From, To); the zero time is open
	Limit      int       // at most so many
	After      time.Time // go on after the candle of this start; the zero time starts
	Descending bool      // newest first
}

// Newest is what the live streams of results said last.
type Newest interface {
	// Newest returns the newest message, fact or view, on a subject without
	// wildcards, and whether there is one. The bytes are the caller's own.
	Newest(subject string) ([]byte, bool)
}

// Formulas are the indicators that can be computed.
type Formulas interface {
	// Formulas returns what there is, in the order of a menu.
	Formulas() []Formula
	// Plan reads specs such as "sma(20)". The error is for who wrote them.
	Plan(specs []string) (FormulaPlan, error)
	// Compute returns the indicators of candles of one symbol, the oldest first.
	Compute(specs []string, candles []streamflow.Candle) ([]streamflow.Indicators, error)
}

// FormulaPlan is what must be known before specs are computed.
type FormulaPlan struct {
	Names  []string // of the values, in the order of the specs
	WarmUp int      // candles before which values are missing
	// Settle is how many candles more it takes until averages that reach back
	// without end have forgotten where they began.
	Settle int
	Daily  bool // some begin anew with each UTC day, so that they need all of it
}

// Alerts is the table of alerts.
type Alerts interface {
	// Alerts returns what q asks for, newest first, those of one time by ID.
	Alerts(ctx context.Context, q AlertsQuery) ([]StoredAlert, error)
	// Acknowledge notes that somebody has seen alerts, and returns those of ids
	// that are stored, as they stand now. Who was first is kept.
	Acknowledge(ctx context.Context, ids []string, by string) ([]StoredAlert, error)
}

// AlertsQuery asks for alerts. What is "" or zero selects all.
type AlertsQuery struct {
	Symbol, Rule string
	Severity     streamflow.Severity
	Acknowledged *bool
	From, To     time.Time // half-open [From, To)
	Limit        int       // at most so many
	After        *AlertCursor
}

// AlertCursor is where a page of alerts ended.
type AlertCursor struct {
	Time time.Time
	ID   string
}

// StoredAlert is an alert and what became of it.
type StoredAlert struct {
	streamflow.Alert
	Acknowledged   time.Time // zero: nobody has
	AcknowledgedBy string
}

// Rules is where the rules of alerts are kept, and what understands them.
type Rules interface {
	// Rules returns all of them, in no order.
	Rules(ctx context.Context) ([]KeptRule, error)
	// Rule returns one, and whether it is there.
	Rule(ctx context.Context, id string) (KeptRule, bool, error)
	// Put stores a rule if it is still at revision, 0 for one that is not there;
	// else [streamflow.ErrFenced]. It returns the new revision.
	Put(ctx context.Context, rule streamflow.Rule, revision uint64) (uint64, error)
	// Delete removes a rule if it is still at revision, else [streamflow.ErrFenced].
	Delete(ctx context.Context, id string, revision uint64) error
	// Read checks a rule and says how it is understood; the error, a
	// [*RuleFault], says what is wrong.
	Read(rule streamflow.Rule) (RuleMeaning, error)
	// Test yields the alerts that a rule would have raised on ticks, which are
	// ordered by time, with the clock at until in the end. An error is the last.
	Test(rule streamflow.Rule, ticks iter.Seq2[streamflow.Mirrored, error], until time.Time) iter.Seq2[streamflow.Alert, error]
}

// KeptRule is a rule and the revision of the bucket that stored it.
type KeptRule struct {
	streamflow.Rule
	Revision uint64
}

// RuleMeaning is how a rule is understood.
type RuleMeaning struct {
	Condition string // in its canonical form
	Judged    string // when: "on each tick"
}

// RuleFault says what is wrong with a rule.
type RuleFault struct {
	Field   string // its name in JSON
	Column  int    // of a condition, from 1; 0 if it is not about a place
	Message string
}

func (f *RuleFault) Error() string { return f.Field + ": " + f.Message }
