package streamflow

import (
	"fmt"
	"strconv"
	"strings"
)

// The address book. Every topic, stream, subject, header, durable, bucket and
// table is named here and nowhere else.
const (
	TopicTicks       = "stock_ticks"     // ticks in; key = symbol
	TopicDeadLetters = "stock_ticks_dlq" // what the bridge refused
	TopicIndicators  = "stock_indicators"
	TopicCandles     = "stock_candles"
	TopicAlerts      = "stock_alerts"
	TopicEvents      = "events"      // e-commerce events with a price; key = user
	TopicUserEvents  = "user-events" // logins; key = user

	// TickPartitions is how many partitions each topic has.
	TickPartitions = 3

	StreamTicks       = "TICKS"  // ticks.> and the bridge's cursors
	StreamDeadLetters = "DLQ"    // dlq.> and the bridge's dead-letter cursors
	StreamEvents      = "EVENTS" // events.> and the bridge's cursors of their topics
	StreamIndicators  = "INDICATORS"
	StreamCandles     = "CANDLES"
	StreamAlerts      = "ALERTS"
	StreamResults     = "RESULTS" // results.>: what all other functions publish

	SubjectAllTicks       = "ticks.>"
	SubjectAllDeadLetters = "dlq.*" // by topic; those of functions have one token more
	SubjectAllLetters     = "dlq.>" // of the bridge and of functions
	SubjectAllEvents      = "events.>"
	SubjectAllIndicators  = "indicators.>"
	SubjectAllCandles     = "candles.>"
	SubjectAllAlerts      = "alerts.>"
	SubjectAllResults     = "results.>"
	SubjectCursors        = "cursor.*.*"
	SubjectDLQCursors     = "cursor.dlq.*.*"
	SubjectEventCursors   = "cursor.events.*.*"

	ServiceStocks        = "stocks"             // answers requests over NATS; `nats micro ls` lists it
	SubjectLastTick      = "stocks.*.last"      // by symbol
	SubjectServedCandles = "stocks.*.candles.*" // by symbol and interval
	SubjectNewestTicks   = "stocks.list"

	BucketRules     = "rules"     // alert rules
	BucketFunctions = "functions" // the desired state and the layout of each function
	BucketKeys      = "keys"      // API keys, hashed
	BucketLetters   = "letters"   // what people have done with dead letters
	BucketStatus    = "status"    // what the workers say of their shards; in memory, for seconds

	TableTicks      = "stock_ticks"
	TableCandles    = "candles"
	TableAlerts     = "alerts"
	TableDeliveries = "deliveries" // of alerts to webhooks
	TablePositions  = "positions"

	FunctionArchive        = "archive"
	FunctionArchiveCandles = "archive-candles"
	FunctionArchiveAlerts  = "archive-alerts"
	FunctionDeadLetter     = "deadletter"
	FunctionReverse        = "reverse" // results to Kafka; one durable for each stream
	FunctionCandles        = "candles"
	FunctionIndicators     = "indicators"
	FunctionAlerts         = "alerts"
	FunctionNotify         = "notify"
	FunctionBuckets        = "buckets"
	FunctionLogins         = "logins"

	GroupBridge = "streamflow-bridge" // Kafka consumer group that shares the partitions among bridges
)

// Headers of mirrored and derived messages.
const (
	HeaderPosition = "Kafka-Position" // <topic>/<partition>/<offset>
	// HeaderPrevious is the offset of the message of the same partition that
	// was mirrored before this one. It is there only where that is not the
	// offset before: a reader that knows its own position can tell a message
	// that was refused (no gap) from one that it never saw (a gap).
	HeaderPrevious = "Kafka-Previous"
	HeaderHops     = "Hops" // name=unix-nanoseconds;...
	// HeaderTraceparent is that of W3C's Trace Context: of a record whose producer
	// traces it, and of the results in Kafka of what is traced.
	HeaderTraceparent = "traceparent"
	// HeaderOutput is where a result stands among the results of its function:
	// <function>.<epoch>/<shard>/<number>, the numbers without gaps from 0. What
	// has none in a stream of results is a view, see [Message].
	HeaderOutput = "Output"
	// HeaderPositions is how far the stream that a topic is written from was
	// brought over: positions with spaces between, in the last record that a
	// transaction writes to a partition.
	HeaderPositions = "Positions"
	HeaderReplay    = "Replay"                // of a result that was published before: the ID of the replay that repeats it
	HeaderReason    = "Reason"                // why a dead letter was refused: a [Reason]
	HeaderDetail    = "Reason-Detail"         // the same for a person
	HeaderKey       = "Kafka-Key"             // the key of a dead letter, URL query-escaped
	HeaderCut       = "Cut"                   // which parts of a dead letter were too long to travel, or are withheld because they may hold what is masked: key, headers, value
	HeaderLetter    = "Dead-Letter"           // of a record that was sent again: the dead letter that it was, `bridge` or a function, and its position
	HeaderCorrected = "Dead-Letter-Corrected" // of such a record: `true` if its value is another one than was refused
	HeaderHeaders   = "Kafka-Headers"         // the headers of a dead letter, key=value&..., each URL query-escaped
)

// TickSubject returns the subject of a symbol's ticks, "ticks.<token>".
func TickSubject(symbol string) string { return "ticks." + Token(symbol) }

// TickSymbol returns the symbol of a subject that [TickSubject] made, and
// whether it is one.
func TickSymbol(subject string) (string, bool) {
	token, ok := strings.CutPrefix(subject, "ticks.")
	if !ok {
		return "", false
	}
	symbol, err := ParseToken(token)
	return symbol, err == nil
}

// DeadLetterSubject returns the subject of a topic's dead letters.
func DeadLetterSubject(topic string) string { return "dlq." + Token(topic) }

// CursorSubject returns the subject of the bridge's cursor for a partition.
func CursorSubject(topic string, partition int32) string {
	return "cursor." + Token(topic) + "." + strconv.Itoa(int(partition))
}

// ParseCursorSubject returns the partition of a subject that [CursorSubject] or
// [DeadLetterCursorSubject] made.
func ParseCursorSubject(subject string) (Partition, error) {
	parts := strings.Split(subject, ".")
	if len(parts) == 4 && (parts[1] == "dlq" || parts[1] == "events") {
		parts = append(parts[:1], parts[2:]...)
	}
	if len(parts) != 3 || parts[0] != "cursor" {
		return Partition{}, fmt.Errorf("subject %q: want cursor.<topic>.<partition>", subject)
	}
	topic, err := ParseToken(parts[1])
	if err != nil {
		return Partition{}, fmt.Errorf("subject %q: %w", subject, err)
	}
	n, err := strconv.ParseUint(parts[2], 10, 31)
	if err != nil {
		return Partition{}, fmt.Errorf("subject %q: %q is not a partition", subject, parts[2])
	}
	return Partition{Topic: topic, Number: int32(n)}, nil
}

// DeadLetterCursorSubject returns the subject of the bridge's second cursor,
// which stands in the dead-letter stream beside what it covers.
func DeadLetterCursorSubject(topic string, partition int32) string {
	return "cursor.dlq." + Token(topic) + "." + strconv.Itoa(int(partition))
}

// CandleSubject returns the subject of a symbol's candles, "candles.<interval>.<token>".
func CandleSubject(i Interval, symbol string) string {
	return "candles." + string(i) + "." + Token(symbol)
}

// IndicatorSubject returns the subject of a symbol's indicators of all
// intervals, "indicators.<token>".
func IndicatorSubject(symbol string) string { return "indicators." + Token(symbol) }

// AlertSubject returns the subject of a symbol's alerts, "alerts.<token>".
func AlertSubject(symbol string) string { return "alerts." + Token(symbol) }

// EventSubject returns the subject of events, "events.<topic>.<type>".
func EventSubject(topic, kind string) string { return "events." + Token(topic) + "." + Token(kind) }

// ResultSubject returns the subject of a function's results about key,
// "results.<function>.<key>".
func ResultSubject(function, key string) string {
	return "results." + Token(function) + "." + Token(key)
}

// EventCursorSubject returns the subject of the bridge's cursor of a partition
// of another topic than that of the ticks.
func EventCursorSubject(topic string, partition int32) string {
	return "cursor.events." + Token(topic) + "." + strconv.Itoa(int(partition))
}

// LetterSubject returns the subject of what a function could not step,
// "dlq.<function>.<position>": each position has its own, so that it is stored once.
func LetterSubject(function string, p Position) string {
	return "dlq." + Token(function) + "." + Token(p.String())
}

// CheckpointSubject returns the subject of the checkpoint of a function's
// shard, "checkpoint.<function>.<generation>.<shard>", in its output stream.
func CheckpointSubject(function string, generation, shard int) string {
	return "checkpoint." + Token(function) + "." + strconv.Itoa(generation) + "." + strconv.Itoa(shard)
}

// StateSubject returns the subject of one piece of a shard's state,
// "state.<function>.<generation>.<shard>.<slot>.<piece>".
func StateSubject(function string, generation, shard, slot, piece int) string {
	return "state." + strings.TrimPrefix(CheckpointSubject(function, generation, shard), "checkpoint.") +
		"." + strconv.Itoa(slot) + "." + strconv.Itoa(piece)
}

// IsResult reports whether a subject is one of results of functions: facts and views.
func IsResult(subject string) bool {
	root, _, _ := strings.Cut(subject, ".")
	return root == "candles" || root == "indicators" || root == "alerts" || root == "results"
}

// Durable returns the name of a function's durable consumer.
func Durable(function string, shard int) string { return function + "-" + strconv.Itoa(shard) }
