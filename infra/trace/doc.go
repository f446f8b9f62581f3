// Package trace sends the spans of traced messages to an OpenTelemetry
// collector, by OTLP over HTTP. It is the only room that names OpenTelemetry.
//
// Nothing ever waits for it: spans stand in a queue that is bounded, and what
// does not fit is dropped and counted.
package trace
