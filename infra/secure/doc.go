// Package secure reads the certificates and secrets that settings name, for the
// clients of Kafka and NATS and for the API's own port, and makes the
// certificates of a system that has none.
//
// Its errors name the setting, the file and what to do, and never a secret.
// Files are read again when they are needed: a certificate or a password that
// is replaced is used from the next connection on.
package secure
