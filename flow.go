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
	KindRequest  Kind = "request"  // subject of a NATS service
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

// How far a function has come stands beside what it wrote.
const (
	checkpoint = "a checkpoint in the stream of its results, in the batch of what it covers: `checkpoint.<function>.<generation>.<shard>`, its state beside it: `state.<function>.>`"
	rowsKnow   = "the durable's own; to store a row again changes nothing"
	inRecords  = "the records of the topic carry it, in the transaction that writes them"
)

var stages = []Stage{
	{
		Name: "simulate", Room: "infra/simulate", Does: "sends realistic ticks; any producer of the same JSON may stand in its place",
		Writes: []Place{{KindTopic, TopicTicks}},
	},
	{
		Name: "bridge", Room: "bridge", Does: "checks every record, masks what must not be seen; mirrors the good ones and sorts out the others, each with its reason",
		Reads:  []Place{{KindTopic, TopicTicks}, {KindTopic, TopicEvents}, {KindTopic, TopicUserEvents}},
		Writes: []Place{{KindStream, StreamTicks}, {KindStream, StreamEvents}, {KindStream, StreamDeadLetters}}, Group: GroupBridge,
		Position: "a cursor in each stream, in the batch of what it covers: `" + SubjectCursors + "`, `" + SubjectEventCursors + "`, `" + SubjectDLQCursors + "`",
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
		Durable: Durable(FunctionDeadLetter, 0), Position: inRecords,
	},
	step(FunctionCandles, StreamTicks, StreamCandles, "sums ticks up to candles of six intervals; late ticks amend them"),
	step(FunctionIndicators, StreamTicks, StreamIndicators, "computes averages, oscillators and a trend on ticks and on closed candles"),
	step(FunctionAlerts, StreamTicks, StreamAlerts, "raises alerts by the rules of bucket `"+BucketRules+"`"),
	step(FunctionBuckets, StreamEvents, StreamResults, "classes events by their price and counts them"),
	step(FunctionLogins, StreamEvents, StreamResults, "counts logins in windows of 10 s, and tells each"),
	{
		Name: FunctionArchiveCandles, Room: "functions/archive", Does: "stores candles as they grow, closed ones, and amendments",
		Reads:   []Place{{KindStream, StreamCandles}},
		Writes:  []Place{{KindTable, TableCandles}},
		Durable: Durable(FunctionArchiveCandles, 0), Position: rowsKnow,
	},
	{
		Name: FunctionArchiveAlerts, Room: "functions/archive", Does: "stores alerts",
		Reads:   []Place{{KindStream, StreamAlerts}},
		Writes:  []Place{{KindTable, TableAlerts}},
		Durable: Durable(FunctionArchiveAlerts, 0), Position: rowsKnow,
	},
	{
		Name: FunctionNotify, Room: "functions/notify", Does: "delivers alerts to webhooks, signed, each on its own durable `" + FunctionNotify + "-<webhook>`",
		Reads:  []Place{{KindStream, StreamAlerts}},
		Writes: []Place{{KindTable, TableDeliveries}},
	},
	reverse("candles", StreamCandles, TopicCandles),
	reverse("indicators", StreamIndicators, TopicIndicators),
	reverse("alerts", StreamAlerts, TopicAlerts),
	{
		Name: "api", Room: "api", Does: "serves what is committed: live from the streams, older from the tables",
		Reads: []Place{
			{KindStream, StreamTicks}, {KindStream, StreamCandles}, {KindStream, StreamIndicators}, {KindStream, StreamAlerts}, {KindStream, StreamResults},
			{KindTable, TableTicks}, {KindTable, TableCandles}, {KindTable, TableAlerts}, {KindTable, TableDeliveries}, {KindTable, TablePositions},
		},
		Writes: []Place{{KindEndpoint, endpointWebsocket}, {KindEndpoint, endpointStocks}},
	},
	{
		Name: "ui", Room: "ui", Does: "shows them",
		Reads: []Place{{KindEndpoint, endpointWebsocket}, {KindEndpoint, endpointStocks}},
	},
	{
		Name: "simulate-events", Room: "infra/simulate", Does: "sends events of a shop and logins; any producer of the same JSON may stand in its place",
		Writes: []Place{{KindTopic, TopicEvents}, {KindTopic, TopicUserEvents}},
	},
	{
		Name: "consumers", Does: "whoever reads results from Kafka",
		Reads: []Place{{KindTopic, TopicCandles}, {KindTopic, TopicIndicators}, {KindTopic, TopicAlerts}},
	},
	{
		Name: "operator", Does: "looks at what was refused, mends its source, sends it again",
		Reads: []Place{{KindTopic, TopicDeadLetters}},
	},
}

// step is the stage of a function that keeps its state in checkpoints.
func step(name, reads, writes, does string) Stage {
	return Stage{
		Name: name, Room: "functions/" + name, Does: does, Reads: []Place{{KindStream, reads}},
		Writes: []Place{{KindStream, writes}}, Durable: Durable(name, 0), Position: checkpoint,
	}
}

// reverse is the stage that brings the results of a stream to a topic.
func reverse(what, stream, topic string) Stage {
	name := FunctionReverse + "-" + what
	return Stage{
		Name: name, Room: "bridge", Does: "brings " + what + " to Kafka", Reads: []Place{{KindStream, stream}},
		Writes: []Place{{KindTopic, topic}}, Durable: Durable(name, 0), Position: inRecords,
	}
}

var addresses = []Address{
	{Place{KindTopic, TopicTicks}, "ticks as JSON, key = symbol, " + strconv.Itoa(TickPartitions) + " partitions"},
	{Place{KindTopic, TopicDeadLetters}, "what the bridge refused: the record as it was, and why in its headers"},
	{Place{KindTopic, TopicEvents}, "events of a shop, with a price"},
	{Place{KindTopic, TopicUserEvents}, "what users do, such as logins"},
	{Place{KindTopic, TopicCandles}, "closed candles and amendments, key = symbol"},
	{Place{KindTopic, TopicIndicators}, "indicators of closed candles, key = symbol"},
	{Place{KindTopic, TopicAlerts}, "alerts, key = symbol"},

	{Place{KindStream, StreamTicks}, "ticks by symbol, with the bridge's cursors; can be made anew from Kafka"},
	{Place{KindStream, StreamDeadLetters}, "dead letters by topic, with the bridge's second cursors; those of functions"},
	{Place{KindStream, StreamEvents}, "events by topic and type, with the bridge's cursors of their topics"},
	{Place{KindStream, StreamCandles}, "candles by interval and symbol, with the checkpoints and the state of their function"},
	{Place{KindStream, StreamIndicators}, "indicators by symbol, with the checkpoints and the state of their function"},
	{Place{KindStream, StreamAlerts}, "alerts by symbol, with the checkpoints and the state of their function"},
	{Place{KindStream, StreamResults}, "results of all other functions, with their checkpoints and their state"},

	{Place{KindSubject, SubjectAllTicks}, "in " + StreamTicks + ": the ticks of a symbol, `" + TickSubject("AAPL") + "`; `BRK.B` is `" + TickSubject("BRK.B") + "`"},
	{Place{KindSubject, SubjectCursors}, "in " + StreamTicks + ": how far a partition is mirrored, `" + CursorSubject(TopicTicks, 0) + "`"},
	{Place{KindSubject, SubjectAllEvents}, "in " + StreamEvents + ": the events of a topic and type, `" + EventSubject(TopicUserEvents, "login") + "`"},
	{Place{KindSubject, SubjectEventCursors}, "in " + StreamEvents + ": how far a partition is mirrored, `" + EventCursorSubject(TopicEvents, 0) + "`"},
	{Place{KindSubject, SubjectAllCandles}, "in " + StreamCandles + ": the candles of a symbol, `" + CandleSubject(Minute1, "AAPL") + "`"},
	{Place{KindSubject, SubjectAllIndicators}, "in " + StreamIndicators + ": the indicators of a symbol, `" + IndicatorSubject("AAPL") + "`"},
	{Place{KindSubject, SubjectAllAlerts}, "in " + StreamAlerts + ": the alerts of a symbol, `" + AlertSubject("AAPL") + "`"},
	{Place{KindSubject, SubjectAllResults}, "in " + StreamResults + ": what a function says about a key, `" + ResultSubject(FunctionBuckets, "low") + "`"},
	{Place{KindSubject, SubjectAllLetters}, "in " + StreamDeadLetters + ": all dead letters; those of a function, which it could not step, stand each at its own subject, `" + LetterSubject(FunctionCandles, Position{TopicTicks, 0, 7}) + "`"},
	{Place{KindSubject, SubjectAllDeadLetters}, "in " + StreamDeadLetters + ": the dead letters of a topic, `" + DeadLetterSubject(TopicTicks) + "`"},
	{Place{KindSubject, SubjectDLQCursors}, "in " + StreamDeadLetters + ": up to where a partition's dead letters are written, `" + DeadLetterCursorSubject(TopicTicks, 0) + "`"},

	{Place{KindRequest, SubjectLastTick}, "of service `" + ServiceStocks + "`: the newest tick of a symbol, from " + StreamTicks + ", else from the database: `nats req stocks.AAPL.last ''`"},
	{Place{KindRequest, SubjectServedCandles}, "of service `" + ServiceStocks + "`: candles of a symbol and interval: `nats req stocks.AAPL.candles.1m ''`"},
	{Place{KindRequest, SubjectNewestTicks}, "of service `" + ServiceStocks + "`: the newest tick of every symbol in " + StreamTicks + ", up to a second old: `nats req stocks.list ''`"},

	{Place{KindHeader, HeaderPosition}, "where the message, or the one that it follows from, stands in Kafka: `<topic>/<partition>/<offset>`"},
	{Place{KindHeader, HeaderPrevious}, "the offset of the message of the same partition that was mirrored before, where that is not the offset before"},
	{Place{KindHeader, HeaderHops}, "when it passed each part: `name=unix-nanoseconds;...`"},
	{Place{KindHeader, HeaderTraceparent}, "of a record in Kafka: the trace of which it is part (W3C Trace Context), where its producer, or we, trace it; in the streams such a trace stands in front of the hops"},
	{Place{KindHeader, HeaderOutput}, "of a fact: where it stands among the results of its function, `<function>.<epoch>/<shard>/<number>`; a result without it is a view, which may be lost or repeated"},
	{Place{KindHeader, HeaderReplay}, "of a result that was published before: the ID of the replay that repeats it"},
	{Place{KindHeader, HeaderPositions}, "of a record that the reverse bridge wrote: how far its stream is brought over"},
	{Place{KindHeader, HeaderReason}, "of a dead letter: the code of what is wrong"},
	{Place{KindHeader, HeaderDetail}, "of a dead letter: the same for a person, with the value at fault"},
	{Place{KindHeader, HeaderKey}, "of a dead letter in the stream: the record's key, URL query-escaped"},
	{Place{KindHeader, HeaderHeaders}, "of a dead letter in the stream: the record's headers, `key=value&...`, each URL query-escaped"},
	{Place{KindHeader, HeaderLetter}, "of a record that was a dead letter and was sent again: `bridge` or the function, and its position, `bridge/stock_ticks/0/7`"},
	{Place{KindHeader, HeaderCorrected}, "of such a record: its value is another one than was refused"},
	{Place{KindHeader, HeaderCut}, "of a dead letter: what was too long to travel, or is withheld (key, headers, value)"},

	{Place{KindBucket, BucketRules}, "alert rules by their ID; `streamflow rules`"},
	{Place{KindBucket, BucketFunctions}, "by function: the desired state, `<function>.layout` how its state is laid out, `<function>.next` how it is going to be; `streamflow functions`"},
	{Place{KindBucket, BucketKeys}, "API keys by their ID, hashed, and `<id>.used` when each was last used; `streamflow keys`"},
	{Place{KindBucket, BucketLetters}, "what people have done with dead letters: replayed to where, or discarded and why; key = `bridge` or the function, and the position"},
	{Place{KindBucket, BucketStatus}, "what workers say each second, in memory: `worker.<id>`, `shard.<function>.<shard>`"},

	{Place{KindTable, TableTicks}, "every tick, once, with its position in Kafka"},
	{Place{KindTable, TableCandles}, "every candle, as last amended; those that still grow every few seconds"},
	{Place{KindTable, TableAlerts}, "every alert, once"},
	{Place{KindTable, TableDeliveries}, "what became of each alert at each webhook"},
	{Place{KindTable, TablePositions}, "the last offset that each function has stored, by partition"},

	{Place{KindEndpoint, endpointWebsocket}, "what is committed, as it comes, by the same subjects and wildcards as NATS"},
	{Place{KindEndpoint, endpointStocks}, "what every stock does now; below it the stored ticks of each"},
}
