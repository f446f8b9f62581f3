// Package kafka is what the program needs of Kafka besides the bridge: a client
// whose errors help, topics as they should be, a producer that loses nothing
// and a scan of a whole topic.
package kafka
