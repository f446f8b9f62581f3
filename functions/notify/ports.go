package notify

import (
	"context"
	"time"

	"streamflow"
)

// Queue is the alerts that one webhook has not had yet: a durable consumer of
// stream ALERTS named [Durable], with explicit acknowledgement and a time to
// acknowledge above [MaxTimeout]. Next is called by one goroutine, the others by
// several. A message is named by its sequence in the stream.
type Queue interface {
	// Next waits for a message and returns it with the number of times that it
	// was delivered, this one included.
	Next(ctx context.Context) (m streamflow.Message, delivered int, err error)
	// Ack says that a message is done with.
	Ack(sequence uint64) error
	// NakWithDelay has a message delivered again when the delay has passed.
	NakWithDelay(sequence uint64, delay time.Duration) error
	// Term says that a message is done with because it never will be delivered.
	Term(sequence uint64, reason string) error
	// Close gives the queue up; what was not acknowledged is delivered again.
	Close()
}

// Recorder keeps every attempt for people: table deliveries.
type Recorder interface {
	RecordDelivery(ctx context.Context, d Delivery) error
}

// DeadLetters takes what could not be delivered, once for each function and
// position. The function is the name of the webhook's durable.
type DeadLetters interface {
	Reject(ctx context.Context, function string, letter streamflow.DeadLetter) error
}

// ReasonUndelivered is the reason of the dead letters of this function.
const ReasonUndelivered streamflow.Reason = "delivery_failed"

// Delivery is one attempt to deliver an alert.
type Delivery struct {
	Time     time.Time // when it began
	Webhook  string    // its name
	AlertID  string
	Attempt  int // from 1
	Status   int // of the HTTP answer; 0 if there was none
	Duration time.Duration
	Error    string // "" if it was delivered
}

// Durable returns the name of a webhook's durable consumer.
func Durable(webhook string) string { return streamflow.FunctionNotify + "-" + webhook }
