// Package embedded holds the servers that `streamflow up` starts when none is
// given: Kafka (kfake, in process), NATS JetStream (nats-server, in process)
// and PostgreSQL (a child process), and the lock on the data directory that
// they share.
//
// Every server keeps its data on disk below its Dir, survives kill -9 of our
// process, listens on the one address it is given, logs to slog, and returns
// errors that name the flag or the variable that gets the user out.
//
// The caller holds the data directory with [LockDir] before it starts any of
// them: none of the servers may share its directory with a second process.
//
// # Kafka
//
// [StartKafka] runs one broker. A produce request is answered after fsync.
// Retention (retention.ms, retention.bytes) is enforced here and not by kfake,
// see [Kafka]. Transactions, read_committed, classic and KIP-848 groups work.
//
// # NATS
//
// [StartNATS] runs one JetStream server with file storage.
//
// # PostgreSQL
//
// [StartPostgres] runs the newest PostgreSQL of the machine, or one that it
// downloads. See there for where the cluster lives when we are root.
package embedded
