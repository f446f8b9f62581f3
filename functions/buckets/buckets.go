// Package buckets classes e-commerce events by their price: low, medium or high.
// Each event becomes one fact, which says in which class it is and how many
// events, and what sum of prices, the class has had up to it.
//
// A class is a key: it counts the events of all partitions in the order in which
// they stand in the stream.
package buckets

import (
	"strings"
	"time"

	"streamflow"
	"streamflow/functions"
)

// Class is a class of prices.
type Class string

// The classes; [Params] say where one ends and the next begins.
const (
	Low    Class = "low"
	Medium Class = "medium"
	High   Class = "high"
)

// Result is what is published of an event, on
// [streamflow.ResultSubject]("buckets", class).
type Result struct {
	Class    Class     `json:"class"`
	Event    string    `json:"event_id"`
	Type     string    `json:"type"`
	Price    float64   `json:"price"`
	Currency string    `json:"currency,omitempty"`
	Time     time.Time `json:"timestamp"`
	Count    int64     `json:"count"`    // events of the class so far, this one included
	Sum      float64   `json:"sum"`      // of their prices in this currency
	Position string    `json:"position"` // of the event in Kafka

	// Sums are of the prices in each currency so far, "" for events without one:
	// who reads only the newest fact knows all of them. They are left out beyond
	// [MostSums] currencies.
	Sums map[string]float64 `json:"sums,omitempty"`
}

// MostSums is how many currencies a fact says the sums of: more than there are
// in use, and few enough that no producer of odd ones makes the facts large.
const MostSums = 200

// state is what is kept of a class.
type state struct {
	Count int64            `json:"count"`
	Sums  map[string]total `json:"sums"` // by currency: to add euros to dollars would mean nothing
}

// New returns the function. It panics if params are not what [ParseParams] accepts.
func New(params Params) *functions.Function {
	if err := params.check(); err != nil {
		panic(err)
	}
	return functions.Func[state]{
		Name:    streamflow.FunctionBuckets,
		Does:    "classes events by price: " + params.String(),
		Reads:   streamflow.StreamEvents,
		Version: "1:" + params.String(), // other bounds, other classes: they are counted from anew
		Key:     func(in *functions.Input) string { return string(params.key(in)) },
		New:     func(string) state { return state{Sums: make(map[string]total)} },
		Step:    step,
	}.Build()
}

// subjects is where the subjects of the topic begin.
var subjects = strings.TrimSuffix(streamflow.EventRoute(streamflow.TopicEvents).Subject, "*")

// key returns the class of an event, "" for what is none. One that cannot be
// read must be somewhere: its step will say what is wrong.
func (p Params) key(in *functions.Input) Class {
	if !strings.HasPrefix(in.Message.Subject, subjects) {
		return ""
	}
	e, err := streamflow.DecodeEvent(in.Message.Data, streamflow.AnyTime)
	if err != nil {
		return Low
	}
	return p.Class(e.Price)
}

func step(s *state, in *functions.Input, out *functions.Output) error {
	e, err := streamflow.DecodeEvent(in.Message.Data, streamflow.AnyTime)
	if err != nil {
		return err
	}
	sum := s.Sums[e.Currency]
	sum.add(e.Price)
	s.Sums[e.Currency] = sum
	s.Count++
	out.PublishJSON(streamflow.ResultSubject(streamflow.FunctionBuckets, in.Key), Result{
		Class: Class(in.Key), Event: e.ID, Type: e.Type, Price: e.Price, Currency: e.Currency, Time: e.Time,
		Count: s.Count, Sum: sum.value(), Position: in.Message.Position.String(), Sums: s.values(),
	})
	return nil
}

// values returns the sums as they are published.
func (s *state) values() map[string]float64 {
	if len(s.Sums) > MostSums {
		return nil
	}
	values := make(map[string]float64, len(s.Sums))
	for currency, sum := range s.Sums {
		values[currency] = sum.value()
	}
	return values
}

// total is a sum that does not drift: it keeps what adding has rounded away
// (Neumaier, 1974). A million cents are ten thousand, to the cent.
type total struct {
	Sum  float64 `json:"sum"`
	Rest float64 `json:"rest"`
}

func (t *total) add(x float64) {
	sum := t.Sum + x
	if t.Sum >= x { // prices are not negative
		t.Rest += t.Sum - sum + x
	} else {
		t.Rest += x - sum + t.Sum
	}
	t.Sum = sum
}

func (t *total) value() float64 { return t.Sum + t.Rest }
