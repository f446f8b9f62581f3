package jetstream

// Replicated makes m write as it does to a stream with replicas, until it next
// looks at the stream.
func (m *Mirror) Replicated() { m.replicated.Store(true) }
