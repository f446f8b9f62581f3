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

	// TickPartitions is how many partitions the topics of ticks and dead letters have.
	TickPartitions = 3

	StreamTicks       = "TICKS" // ticks.> and the bridge's cursors
	StreamDeadLetters = "DLQ"   // dlq.> and the bridge's dead-letter cursors

	SubjectAllTicks       = "ticks.>"
	SubjectAllDeadLetters = "dlq.>"
	SubjectCursors        = "cursor.*.*"
	SubjectDLQCursors     = "cursor.dlq.*.*"

	BucketRules     = "rules"     // alert rules
	BucketFunctions = "functions" // the desired state of each function

	TableTicks     = "stock_ticks"
	TablePositions = "positions"

	FunctionArchive    = "archive"
	FunctionDeadLetter = "deadletter"

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
	HeaderHops     = "Hops"          // name=unix-nanoseconds;...
	HeaderReason   = "Reason"        // why a dead letter was refused: a [Reason]
	HeaderDetail   = "Reason-Detail" // the same for a person
	HeaderKey      = "Kafka-Key"     // the key of a dead letter, URL query-escaped
	HeaderCut      = "Cut"           // which parts of a dead letter were too long to travel: key, headers, value
	HeaderHeaders  = "Kafka-Headers" // the headers of a dead letter, key=value&..., each URL query-escaped
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
	if len(parts) == 4 && parts[1] == "dlq" {
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

// Durable returns the name of a function's durable consumer.
func Durable(function string, shard int) string { return function + "-" + strconv.Itoa(shard) }
