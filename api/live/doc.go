// Package live is the websocket of StreamFlow: what is committed, as it comes,
// by the subjects and wildcards of NATS. docs/websocket.md is its protocol.
//
//	Feed ──▶ follower (one a stream) ──▶ hub ──▶ outbox ──▶ melody ──▶ client
//	Feed ──▶ resume (since a sequence) ─────────▶ outbox
//
// The hub knows the newest message of every subject, and an index leads from a
// subject to those who want it: a message costs its subscribers and nothing
// else. Each session has a bounded outbox and a pump of its own, so a client
// that takes nothing holds up nobody but itself.
//
// This package knows no NATS: it declares what it needs ([Feed]), and
// cmd/streamflow joins them.
package live
