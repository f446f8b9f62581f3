package streamflow

import "strconv"

// Kind says what a [Place] is.
type Kind string

// The kinds of places. Ticks stand in the first four; the others say how they
// are named, marked and read there.
const (
	KindTopic    Kind = "topic"    // of Kafka
	KindStream   Kind = "stream"   // of JetStream
	KindTable    Kind = "table"    // of the database
	KindEndpoint Kind = "endpoint" // of the API
	KindSubject  Kind = "subject"  // of a stream
	KindHeader   Kind = "header"   // of a message
	KindBucket   Kind = "bucket"   // of keys and values
)

// Place is a name in the address book.
type Place struct {
	Kind Kind
	Name string
}

// Address is a place and what it is for.
type Address struct {
	Place
	Meaning string
}

// Stage is one part of the system, and the ways that lead to it and away.
type Stage struct {
	Name     string
	Room     string // the directory of its code; "" is outside of the house
	Does     string
	Reads    []Place
	Writes   []Place
	Durable  string // the consumer by which it reads a stream, if it has one
	Group    string // the group by which it reads a topic, if it has one
	Position string // where it keeps how far it has come; "" if it has no need to
}

// Topology is all stages and all addresses.
type Topology struct {
	Stages    []Stage
	Addresses []Address
}

// Flow is the way of a tick: docs/flow.md shows it, and [Topology.Validate]
// checks it.
var Flow = Topology{Stages: stages, Addresses: addresses}

const (
	endpointWebsocket = "/ws"
	endpointStocks    = "/api/stocks"
)

var stages = []Stage{
	{
		Name: "simulate", Room: "infra/simulate", Does: "sends realistic ticks; any producer of the same JSON may stand in its place",
		Writes: []Place{{KindTopic, TopicTicks}},
	},
	{
		Name: "bridge", Room: "bridge", Does: "checks every record; mirrors the good ones and sorts out the others, each with its reason",
		Reads:  []Place{{KindTopic, TopicTicks}},
		Writes: []Place{{KindStream, StreamTicks}, {KindStream, StreamDeadLetters}}, Group: GroupBridge,
		Position: "a cursor in each stream, in the batch of what it covers: `" + SubjectCursors + "`, `" + SubjectDLQCursors + "`",
	},
	{
		Name: FunctionArchive, Room: "functions/archive", Does: "stores every tick",
		Reads:   []Place{{KindStream, StreamTicks}},
		Writes:  []Place{{KindTable, TableTicks}, {KindTable, TablePositions}},
		Durable: Durable(FunctionArchive, 0), Position: "table `" + TablePositions + "`, in the transaction of the ticks",
	},
	{
		Name: FunctionDeadLetter, Room: "bridge", Does: "brings what was refused back to Kafka, as it was, with the reason",
		Reads:   []Place{{KindStream, StreamDeadLetters}},
		Writes:  []Place{{KindTopic, TopicDeadLetters}},
		Durable: Durable(FunctionDeadLetter, 0), Position: "the records of the topic carry it, in the transaction that writes them",
	},
	{
		Name: "api", Room: "api", Does: "serves committed ticks: live from the stream, older ones from the table",
		Reads:  []Place{{KindStream, StreamTicks}, {KindTable, TableTicks}, {KindTable, TablePositions}},
		Writes: []Place{{KindEndpoint, endpointWebsocket}, {KindEndpoint, endpointStocks}},
	},
	{
		Name: "ui", Room: "ui", Does: "shows them",
		Reads: []Place{{KindEndpoint, endpointWebsocket}, {KindEndpoint, endpointStocks}},
	},
	{
		Name: "operator", Does: "looks at what was refused, mends its source, sends it again",
		Reads: []Place{{KindTopic, TopicDeadLetters}},
	},
}

var addresses = []Address{
	{Place{KindTopic, TopicTicks}, "ticks as JSON, key = symbol, " + strconv.Itoa(TickPartitions) + " partitions"},
	{Place{KindTopic, TopicDeadLetters}, "what the bridge refused: the record as it was, and why in its headers"},

	{Place{KindStream, StreamTicks}, "ticks by symbol, with the bridge's cursors; can be made anew from Kafka"},
	{Place{KindStream, StreamDeadLetters}, "dead letters by topic, with the bridge's second cursors"},

	{Place{KindSubject, SubjectAllTicks}, "in " + StreamTicks + ": the ticks of a symbol, `" + TickSubject("AAPL") + "`; `BRK.B` is `" + TickSubject("BRK.B") + "`"},
	{Place{KindSubject, SubjectCursors}, "in " + StreamTicks + ": how far a partition is mirrored, `" + CursorSubject(TopicTicks, 0) + "`"},
	{Place{KindSubject, SubjectAllDeadLetters}, "in " + StreamDeadLetters + ": the dead letters of a topic, `" + DeadLetterSubject(TopicTicks) + "`"},
	{Place{KindSubject, SubjectDLQCursors}, "in " + StreamDeadLetters + ": up to where a partition's dead letters are written, `" + DeadLetterCursorSubject(TopicTicks, 0) + "`"},

	{Place{KindHeader, HeaderPosition}, "where the message stands in Kafka: `<topic>/<partition>/<offset>`"},
	{Place{KindHeader, HeaderPrevious}, "the offset of the message of the same partition that was mirrored before, where that is not the offset before"},
	{Place{KindHeader, HeaderHops}, "when it passed each part: `name=unix-nanoseconds;...`"},
	{Place{KindHeader, HeaderReason}, "of a dead letter: the code of what is wrong"},
	{Place{KindHeader, HeaderDetail}, "of a dead letter: the same for a person, with the value at fault"},
	{Place{KindHeader, HeaderKey}, "of a dead letter in the stream: the record's key, URL query-escaped"},
	{Place{KindHeader, HeaderHeaders}, "of a dead letter in the stream: the record's headers, `key=value&...`, each URL query-escaped"},
	{Place{KindHeader, HeaderCut}, "of a dead letter: what was too long to travel (key, headers, value)"},

	{Place{KindBucket, BucketRules}, "alert rules; made, and not used yet"},
	{Place{KindBucket, BucketFunctions}, "the desired state of each function; made, and not used yet"},

	{Place{KindTable, TableTicks}, "every tick, once, with its position in Kafka"},
	{Place{KindTable, TablePositions}, "the last offset that each function has stored, by partition"},

	{Place{KindEndpoint, endpointWebsocket}, "committed ticks as they come, by the same subjects and wildcards as NATS"},
	{Place{KindEndpoint, endpointStocks}, "what every stock does now; below it the stored ticks of each"},
}
