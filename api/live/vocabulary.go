package live

import (
	"slices"
	"strings"

	"streamflow"
)

// kind is one kind of subject: its first token, the stream in which it stands,
// and how many tokens it has.
type kind struct {
	root, stream string
	least, most  int
	form         string // for messages
}

// streamPipeline stands where other messages name a stream: subject "pipeline"
// is made here and stored nowhere.
const streamPipeline = "pipeline"

// kinds are the vocabulary. The place of a kind in it is its number.
var kinds = [...]kind{
	{"ticks", streamflow.StreamTicks, 2, 2, "ticks.<SYMBOL>"},
	{"candles", streamflow.StreamCandles, 3, 3, "candles.<INTERVAL>.<SYMBOL>"},
	{"indicators", streamflow.StreamIndicators, 2, 2, "indicators.<SYMBOL>"},
	{"alerts", streamflow.StreamAlerts, 2, 2, "alerts.<SYMBOL>"},
	{"results", streamflow.StreamResults, 3, 3, "results.<FUNCTION>.<KEY>"},
	{"events", streamflow.StreamEvents, 3, 3, "events.<TOPIC>.<TYPE>"},
	{"dlq", streamflow.StreamDeadLetters, 2, 3, "dlq.<TOPIC>"},
	{"pipeline", streamPipeline, 1, 1, "pipeline"},
}

const (
	kindTicks       = 0
	kindDeadLetters = 6
	kindPipeline    = 7
	countKinds      = len(kinds)
)

// Roots are the first tokens of all subjects.
func Roots() []string {
	roots := make([]string, 0, countKinds)
	for _, k := range kinds {
		roots = append(roots, k.root)
	}
	return roots
}

// kindOf returns the number of the kind of a subject, -1 if it is none.
func kindOf(subject string) int {
	root, _, _ := strings.Cut(subject, ".")
	return slices.IndexFunc(kinds[:], func(k kind) bool { return k.root == root })
}

// kindOfStream returns the number of the kind that stands in a stream, -1 if
// there is none.
func kindOfStream(stream string) int {
	return slices.IndexFunc(kinds[:], func(k kind) bool { return k.stream == stream })
}

// mirrored says that every true message of the kind has a place in Kafka: what
// has none was published by somebody else.
func mirrored(kind int) bool {
	return kinds[kind].root == "ticks" || kinds[kind].root == "events" || kinds[kind].root == "dlq"
}
