// Package bridge mirrors Kafka topics into JetStream, and brings results back.
//
// Forward ([Bridge]): a consumer group shares the partitions of all topics that
// have a [Route] among bridges. Each partition has one worker, which checks
// every record by the schema of its route, puts the good ones and the
// partition's cursor into one batch, and waits for it. The cursor in JetStream,
// never the group's offset, says where to read on:
//
//	group assigns partition ─▶ read cursor ─▶ fetch from cursor.Next
//	records ─▶ check ─┬─ good ─▶ mask ─▶ batch + cursor ─▶ TICKS or EVENTS
//	                  └─ bad  ─▶ mask ─▶ letters + cursor ─▶ DLQ   (first)
//
// The dead letters of a batch are committed before the good ones, with a cursor
// of their own, so a crash between the two repeats neither. The fence in each
// cursor refuses a bridge that was paused while another took over. What a route
// says is masked before it leaves the worker, in dead letters too.
//
// A value in the wire format of a schema registry is read first, by [Values], and
// is JSON from there on. While the registry is away, the partition is held: it
// is fetched no further, and the others go on.
//
// Back ([Publisher]): dead letters and results go to Kafka topics, in
// transactions whose records carry their positions.
//
// This is the only room beside infra/kafka that names franz-go.
package bridge
