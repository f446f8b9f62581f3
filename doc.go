// Package streamflow holds the nouns, the address book and the topology of
// StreamFlow, a platform for real-time stock ticks. It imports the standard
// library only; every other room of the house imports it.
//
// # Where does a tick go?
//
//	            Kafka                JetStream     functions                    where it ends
//	simulate ─▶ stock_ticks ─bridge─▶ TICKS ──┬─▶ archive ───────────────────▶ table stock_ticks
//	                            │  ticks.<SYM>├─▶ candles ────▶ CANDLES ────┬▶ table candles
//	                            │             ├─▶ indicators ─▶ INDICATORS ─┤
//	                            │             └─▶ alerts ─────▶ ALERTS ─────┼▶ table alerts, webhooks
//	            events, ────────┼───▶ EVENTS ──┬▶ buckets ────▶ RESULTS     ├▶ api ─▶ /ws, /api ─▶ ui
//	            user-events     │              └▶ logins  ────▶ RESULTS     └▶ reverse ─▶ Kafka stock_candles,
//	                            └───▶ DLQ ─ deadletter ─▶ Kafka stock_ticks_dlq     stock_indicators, stock_alerts
//
// A [Tick] enters as JSON in Kafka ([TopicTicks], key = symbol). The bridge
// checks it with [DecodeTick], keeps its bytes as they are and mirrors it to
// [TickSubject]; what it refuses becomes a [DeadLetter] with a [Reason]. Every
// mirrored message carries its [Position] (topic, partition, offset) in the
// header [HeaderPosition] and the times of its hops in [HeaderHops].
//
// A function steps each message of its stream into results: [Candle] at
// [CandleSubject], [Indicators] at [IndicatorSubject], [Alert] at [AlertSubject],
// all others at [ResultSubject]. What people want of it is [Desired].
//
// # The law of positions
//
// Every hop writes its output and its position in one atomic write at the
// destination, fenced so that a second writer is refused. Positions are Kafka
// coordinates, never stream sequences and never a deduplication window, so a
// kill -9 of any process at any moment loses nothing and doubles nothing:
//
//   - bridge: each tick with its position, in batches that end at the first
//     message that fails, all of it fenced by the cursor of the partition
//     ([CursorSubject]), which sums up what is stored;
//   - functions: one atomic batch of results and the checkpoint of the shard
//     ([CheckpointSubject]), fenced by the checkpoint before;
//   - archive: one transaction of COPY and the rows of table positions, fenced
//     by their previous value;
//   - deadletter, reverse: one Kafka transaction, fenced by its transactional id, whose
//     records carry their positions.
//
// [Flow] is the same picture as a value that can be printed and checked.
package streamflow
