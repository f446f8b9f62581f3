package api

import (
	"reflect"
	"time"

	"streamflow"
)

// subject is one kind of subject in JetStream.
type subject struct {
	id, address, stream string
	listed              string // its pattern in the address book
	summary, writer     string
	payload             reflect.Type // nil is any JSON
	headers             []string
	parameters          []parameter
}

type parameter struct{ name, text, example string }

var (
	symbolToken   = parameter{"symbol", "Every byte beside letters, digits, - and _ is written %XX: BRK.B is BRK%2EB", "AAPL"}
	intervalToken = parameter{"interval", "1s, 1m, 5m, 15m, 1h or 1d", "1m"}
	ofMirrored    = []string{streamflow.HeaderPosition, streamflow.HeaderPrevious, streamflow.HeaderHops}
	ofResults     = []string{streamflow.HeaderPosition, streamflow.HeaderHops, streamflow.HeaderOutput, streamflow.HeaderReplay}
)

// subjects are what JetStream holds for everybody; cursors, checkpoints and
// states are the system's own.
var subjects = []subject{
	{
		id: "tick", address: "ticks.{symbol}", stream: streamflow.StreamTicks, listed: streamflow.SubjectAllTicks, summary: "A tick", writer: "The bridge mirrors ticks from Kafka",
		payload: reflect.TypeFor[TickIn](), headers: ofMirrored, parameters: []parameter{symbolToken},
	},
	{
		id: "candle", address: "candles.{interval}.{symbol}", stream: streamflow.StreamCandles, listed: streamflow.SubjectAllCandles, summary: "A candle", writer: "Function candles sums up ticks",
		payload: reflect.TypeFor[CandleMessage](), headers: ofResults, parameters: []parameter{intervalToken, symbolToken},
	},
	{
		id: "indicators", address: "indicators.{symbol}", stream: streamflow.StreamIndicators, listed: streamflow.SubjectAllIndicators, summary: "Indicators after a tick or a candle", writer: "Function indicators computes them",
		payload: reflect.TypeFor[IndicatorsMessage](), headers: ofResults, parameters: []parameter{symbolToken},
	},
	{
		id: "alert", address: "alerts.{symbol}", stream: streamflow.StreamAlerts, listed: streamflow.SubjectAllAlerts, summary: "An alert", writer: "Function alerts raises them by rules",
		payload: reflect.TypeFor[AlertMessage](), headers: ofResults, parameters: []parameter{symbolToken},
	},
	{
		id: "result", address: "results.{function}.{key}", stream: streamflow.StreamResults, listed: streamflow.SubjectAllResults, summary: "What another function says", writer: "Functions publish results",
		headers: ofResults, parameters: []parameter{{"function", "Its name", streamflow.FunctionBuckets}, {"key", "What it speaks of", "low"}},
	},
	{
		id: "event", address: "events.{topic}.{type}", stream: streamflow.StreamEvents, listed: streamflow.SubjectAllEvents, summary: "An event, masked", writer: "The bridge mirrors events from Kafka",
		headers: ofMirrored, parameters: []parameter{{"topic", "Of Kafka", streamflow.TopicUserEvents}, {"type", "Of the event", streamflow.TypeLogin}},
	},
	{
		id: "deadLetter", address: "dlq.{topic}", stream: streamflow.StreamDeadLetters, listed: streamflow.SubjectAllDeadLetters, summary: "What the bridge refused, as it was: any bytes", writer: "The bridge sorts out what is refused",
		headers:    append([]string{streamflow.HeaderReason, streamflow.HeaderDetail, streamflow.HeaderKey, streamflow.HeaderHeaders, streamflow.HeaderCut}, ofMirrored...),
		parameters: []parameter{{"topic", "Of Kafka", streamflow.TopicTicks}},
	},
	{
		id: "functionLetter", address: "dlq.{function}.{position}", stream: streamflow.StreamDeadLetters, listed: streamflow.SubjectAllLetters, summary: "What a function could not step, as it was", writer: "Functions sort out what they cannot step",
		headers:    append([]string{streamflow.HeaderReason, streamflow.HeaderDetail}, ofMirrored...),
		parameters: []parameter{{"function", "Its name", streamflow.FunctionCandles}, {"position", "Its place in Kafka", streamflow.Token("stock_ticks/0/7")}},
	},
}

// CandleMessage is a candle on the wire.
type CandleMessage struct {
	Symbol   string    `json:"symbol" example:"AAPL" doc:"The symbol"`
	Interval string    `json:"interval" enum:"1s,1m,5m,15m,1h,1d" example:"1m" doc:"Length of the candle"`
	Start    time.Time `json:"start" example:"2025-11-21T14:30:00Z" doc:"First instant of the interval"`
	Open     float64   `json:"open" example:"187.1" doc:"Price of the first tick by event time"`
	High     float64   `json:"high" example:"187.4" doc:"Highest price"`
	Low      float64   `json:"low" example:"187.05" doc:"Lowest price"`
	Close    float64   `json:"close" example:"187.23" doc:"Price of the last tick by event time"`
	Volume   int64     `json:"volume" example:"18250" doc:"Units that changed hands"`
	Trades   int64     `json:"trades" example:"211" doc:"Number of ticks"`
	VWAP     float64   `json:"vwap" example:"187.201" doc:"Volume-weighted mean price"`
	Closed   bool      `json:"closed" example:"true" doc:"Whether its time is over; if not, it is a view that still grows"`
	Amended  int64     `json:"amended,omitempty" example:"1" doc:"Late ticks that have changed it after it was closed"`
	Last     string    `json:"last" example:"stock_ticks/0/4711" doc:"Place in Kafka of its last tick to arrive"`
}

// IndicatorsMessage is the indicators of a symbol on the wire.
type IndicatorsMessage struct {
	Symbol   string             `json:"symbol" example:"AAPL" doc:"The symbol"`
	Interval string             `json:"interval" enum:"tick,1s,1m,5m,15m,1h,1d" example:"1m" doc:"Length of the candle that they follow from; tick: a single tick"`
	Time     time.Time          `json:"time" example:"2025-11-21T14:30:00Z" doc:"Of the tick, or start of the candle"`
	Price    float64            `json:"price" example:"187.23" doc:"Of the tick, or the candle's close"`
	Values   map[string]float64 `json:"values" example:"{\"sma_20\":186.9,\"rsi_14\":58.2}" doc:"By name; what has not warmed up is not there"`
	Trend    string             `json:"trend,omitempty" enum:"up,down,flat" example:"up" doc:"Where the price goes"`
	Amended  bool               `json:"amended,omitempty" example:"false" doc:"A late tick has changed this or an earlier candle since they were published"`
	Last     string             `json:"last" example:"stock_ticks/0/4711" doc:"Place in Kafka of the tick that they follow from"`
}

// AlertMessage is an alert on the wire.
type AlertMessage struct {
	ID       string             `json:"id" example:"0f8c1f2a6f1e4b8a9d3c5e7f90a1b2c3" doc:"The same however often it is derived"`
	Rule     string             `json:"rule" example:"aapl-breakout" doc:"ID of the rule"`
	Name     string             `json:"name,omitempty" example:"Apple breaks out" doc:"Name of the rule"`
	Symbol   string             `json:"symbol" example:"AAPL" doc:"The symbol"`
	When     string             `json:"when" example:"price crosses above 200" doc:"The condition as it stood"`
	Severity string             `json:"severity" enum:"info,warning,critical" example:"warning" doc:"How much it matters"`
	Time     time.Time          `json:"time" example:"2025-11-21T14:30:00.123Z" doc:"Event time of the tick, end of the candle, or when the silence had lasted that long"`
	Price    float64            `json:"price" example:"200.1" doc:"Price of the last tick; 0 if there was none"`
	Values   map[string]float64 `json:"values" example:"{\"price\":200.1}" doc:"What was compared, by name"`
	Text     string             `json:"text" example:"AAPL: price 200.10 crossed above 200." doc:"One sentence for a person"`
	Position string             `json:"position,omitempty" example:"stock_ticks/0/4711" doc:"Place of the last tick in Kafka"`
}
