package api

import "reflect"

// wireMessages are what is said on the websocket. api/live writes and reads
// them by hand; a test holds these descriptions against what it really says.
var wireMessages = []struct {
	name, summary string
	payload       reflect.Type
	ofClient      bool
}{
	{"subscribe", "Adds subscriptions; answered with subscribed, then snapshots and live messages", reflect.TypeFor[WireSubscribe](), true},
	{"unsubscribe", "Takes subscriptions of the same text away; answered with unsubscribed", reflect.TypeFor[WireUnsubscribe](), true},
	{"ping", "Answered with pong", reflect.TypeFor[WirePing](), true},
	{"message", "One message of a stream, or of the figures of the pipeline", reflect.TypeFor[WireMessage](), false},
	{"subscribed", "The subscriptions hold", reflect.TypeFor[WireSubscribed](), false},
	{"unsubscribed", "They hold no more", reflect.TypeFor[WireUnsubscribed](), false},
	{"snapshotDone", "All snapshots were sent; what comes now is new", reflect.TypeFor[WireSnapshotDone](), false},
	{"resumed", "All that was behind since was sent; what comes now is live", reflect.TypeFor[WireResumed](), false},
	{"gone", "A stream does not hold what is behind since; snapshots follow", reflect.TypeFor[WireGone](), false},
	{"rebuilt", "A stream was made anew and its sequences count again", reflect.TypeFor[WireRebuilt](), false},
	{"dropped", "The client is too slow: so many messages were left out since the last such message", reflect.TypeFor[WireDropped](), false},
	{"heartbeat", "Every 5 s: the connection lives", reflect.TypeFor[WireHeartbeat](), false},
	{"pong", "Answers a ping", reflect.TypeFor[WirePong](), false},
	{"error", "Nothing of a message was done, and the socket stays open", reflect.TypeFor[WireError](), false},
}

// WireSubscribe is a client's message.
type WireSubscribe struct {
	Subscribe  []string          `json:"subscribe" nullable:"false" minItems:"1" maxItems:"1000" example:"[\"ticks.AAPL\",\"candles.1m.*\"]" doc:"Subjects, with the wildcards of NATS"`
	Mode       string            `json:"mode,omitempty" enum:"all,latest" example:"all" doc:"Every message, or the newest of each subject as fast as the client takes it"`
	MaxRate    float64           `json:"maxRate,omitempty" minimum:"0.01" maximum:"1000" example:"5" doc:"At most so many messages a second of each subject; mode is latest then"`
	MaxRateToo float64           `json:"max_rate,omitempty" minimum:"0.01" maximum:"1000" example:"5" doc:"Another name of maxRate"`
	Since      map[string]uint64 `json:"since,omitempty" example:"{\"TICKS\":123}" doc:"By stream: no snapshot, but all that stands behind this sequence"`
	Batch      bool              `json:"batch,omitempty" example:"true" doc:"A frame may be an array of several messages, for the whole session"`
}

// WireUnsubscribe is a client's message.
type WireUnsubscribe struct {
	Unsubscribe []string `json:"unsubscribe" nullable:"false" example:"[\"candles.1m.*\"]" doc:"Subjects as they were subscribed"`
}

// WirePing is a client's message.
type WirePing struct {
	Ping int64 `json:"ping" example:"7" doc:"Any number"`
}

// WireMessage is a message of a stream.
type WireMessage struct {
	Subject  string             `json:"subject" example:"ticks.AAPL" doc:"Its subject"`
	Stream   string             `json:"stream" enum:"TICKS,CANDLES,INDICATORS,ALERTS,RESULTS,EVENTS,DLQ,pipeline" example:"TICKS" doc:"Where it stands"`
	Seq      uint64             `json:"seq" example:"123" doc:"Its sequence there"`
	Prev     uint64             `json:"prev,omitempty" example:"120" doc:"The sequence of the message before it on the same subject, where that is known"`
	Position string             `json:"position,omitempty" example:"stock_ticks/0/77" doc:"The place in Kafka of what it is or follows from"`
	View     bool               `json:"view,omitempty" example:"false" doc:"A result that still grows; what has no view is a fact"`
	Data     JSONValue          `json:"data" example:"{\"symbol\":\"AAPL\",\"price\":187.23,\"volume\":100,\"timestamp\":\"2025-11-21T14:30:00.123Z\"}" doc:"What it says: the payload of the subject"`
	Hops     map[string]float64 `json:"hops" example:"{\"kafka\":1763690000123.4,\"bridge\":1763690000124.1,\"api\":1763690000125.3}" doc:"Unix milliseconds at which it passed each part"`
	Snapshot bool               `json:"snapshot,omitempty" example:"false" doc:"The newest that is known, and no news"`
}

// WireSubscribed is an answer.
type WireSubscribed struct {
	Subscribed []string `json:"subscribed" nullable:"false" example:"[\"ticks.AAPL\",\"candles.1m.*\"]" doc:"The subjects"`
}

// WireUnsubscribed is an answer.
type WireUnsubscribed struct {
	Unsubscribed []string `json:"unsubscribed" nullable:"false" example:"[\"candles.1m.*\"]" doc:"The subjects"`
}

// WireSnapshotDone ends the snapshots.
type WireSnapshotDone struct {
	Snapshot string            `json:"snapshot" enum:"done" example:"done" doc:"Always done"`
	Seq      map[string]uint64 `json:"seq" example:"{\"TICKS\":122,\"CANDLES\":51}" doc:"By stream: all up to there was sent"`
}

// WireResumed ends what was behind since.
type WireResumed struct {
	Resumed map[string]uint64 `json:"resumed" example:"{\"TICKS\":980}" doc:"By stream: all up to there was sent"`
}

// WireBounds is what a stream holds.
type WireBounds struct {
	Since uint64 `json:"since" example:"5" doc:"What was asked for"`
	First uint64 `json:"first" example:"900" doc:"First sequence that is there"`
	Last  uint64 `json:"last" example:"2000" doc:"Last one"`
}

// WireGone says that since cannot be had.
type WireGone struct {
	Gone map[string]WireBounds `json:"gone" doc:"By stream"`
}

// WireRebuilt says that sequences count anew.
type WireRebuilt struct {
	Rebuilt map[string]uint64 `json:"rebuilt" example:"{\"TICKS\":8}" doc:"By stream: its last sequence now"`
}

// WireDropped says that messages were left out.
type WireDropped struct {
	Dropped uint64            `json:"dropped" example:"7" doc:"How many"`
	Since   map[string]uint64 `json:"since" example:"{\"TICKS\":118}" doc:"From where a new connection would get them"`
}

// WireHeartbeat comes every 5 s.
type WireHeartbeat struct {
	Heartbeat int64             `json:"heartbeat" example:"1763690000123" doc:"Unix milliseconds"`
	Dropped   uint64            `json:"dropped" example:"0" doc:"Left out in this session"`
	Conflated uint64            `json:"conflated" example:"0" doc:"Replaced by newer ones in this session"`
	Seq       map[string]uint64 `json:"seq" example:"{\"TICKS\":130}" doc:"By stream: all up to there was sent"`
}

// WirePong answers a ping.
type WirePong struct {
	Pong int64 `json:"pong" example:"7" doc:"The number of the ping"`
	Time int64 `json:"time" example:"1763690000123" doc:"Unix milliseconds"`
}

// WireError is an error.
type WireError struct {
	Error WireFault `json:"error" doc:"What is wrong"`
}

// WireFault says what is wrong.
type WireFault struct {
	Code    string `json:"code" enum:"bad_message,bad_subject,bad_mode,bad_since,too_far,forbidden,unknown_field,too_large,too_many" example:"bad_subject" doc:"For programs"`
	Message string `json:"message" example:"subject \"tocks.AAPL\" is none of ticks.<SYMBOL>, ..." doc:"For people"`
}
