// Package notify is the function that delivers alerts to webhooks: it reads
// stream ALERTS and sends each alert that a [Webhook] wants to its URL, signed.
// docs/notify.md says what a receiver sees.
//
//	ALERTS ─ notify-<webhook> ─▶ queue ─▶ POST ─▶ 2xx: done
//	                               ▲       ├────▶ 5xx, 408, 429, no answer: later, further and further apart
//	                               └───────┤
//	                                       ├────▶ other 4xx, 3xx, too many attempts: dead letter
//	                                       └────▶ 410: dead letter, and the webhook is not called again
//
// Each webhook has a queue of its own, a durable consumer, so one that is slow
// or fails holds up nothing but itself. Delivery is at least once: a worker that
// dies between the receiver's answer and the acknowledgement sends the alert
// again, under the same delivery ID ([HeaderDelivery]).
//
// Interfaces that this room needs are declared here ([Queue], [Recorder],
// [DeadLetters]); it knows no broker and no database.
package notify
