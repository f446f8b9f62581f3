// Package jetstream is StreamFlow's room for NATS JetStream: connections,
// streams, atomic batches with fenced cursors, pinned durables and the feed of
// committed ticks. Nothing else names nats.go but the embedded server.
package jetstream
