// Package guard stands before the API: it decides who may do what, and bounds
// what a request may cost before anything else looks at it.
//
//	limits ──▶ CORS ──▶ key or loopback ──▶ rate ──▶ scope ──▶ compression ──▶ handler
//
// What it decides by is the request, the address that the server listens on and
// the keys of a [Ring], and never whether there are keys at all: to lose them
// closes doors and opens none. docs/security.md has the policy as a table.
//
// This package knows no NATS: it declares what it needs of the keys' bucket
// ([Store]), and cmd/streamflow joins them.
package guard
