// Package backup is the form of a backup: a directory of pieces, each a
// compressed file, and a manifest that says what they hold and how to tell that
// they are whole.
//
//	backup/
//	  manifest.json            written last: without it the backup is not complete
//	  kafka/stock_ticks-0.zst  records with their offsets
//	  jetstream/TICKS.zst      the server's snapshot; TICKS.tail.zst what came while it was taken
//	  postgres/candles.zst     rows in the text form of COPY
//
// It knows neither Kafka nor NATS nor PostgreSQL: what is in a piece is up to who
// writes it.
package backup
