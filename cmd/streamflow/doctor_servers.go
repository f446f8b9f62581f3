package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
)

// examination is a diagnosis in the making, with the connections that there are.
type examination struct {
	c   *doctorCmd
	d   *diagnosis
	log *slog.Logger

	client *kgo.Client // nil: Kafka is away, likewise below
	js     *jetstream.Client
	db     *postgres.DB
}

// askAtMost bounds all questions to one server.
const askAtMost = 20 * time.Second

func (x *examination) close() {
	if x.client != nil {
		x.client.Close()
	}
	if x.js != nil {
		x.js.Close()
	}
	if x.db != nil {
		x.db.Close()
	}
}

// runTopics is what makes topics, streams, buckets and tables right.
const runTopics = "Run `streamflow topics` with the same variables."

func (x *examination) kafka(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	client, err := kafka.Connect(ctx, x.c.kafkaFlags.config("doctor", x.log))
	if err != nil {
		x.d.fail("kafka connection", "Correct KAFKA_BOOTSTRAP_SERVERS, KAFKA_TLS and KAFKA_SASL_..., or start the brokers.", "%v", err)
		return
	}
	x.client = client
	x.brokers(ctx)
	x.topics(ctx)
	x.kafkaClock(ctx)
	x.kafkaDisk(ctx)
}

func (x *examination) brokers(ctx context.Context) {
	brokers, err := kafka.Examine(ctx, x.client)
	if err != nil {
		x.d.unknown("kafka connection", err)
		return
	}
	var versions []string
	for _, b := range brokers {
		switch {
		case b.Err != nil:
			x.d.warn("kafka broker", "Start it, or correct its advertised.listeners.", "broker %d at %s: %v", b.ID, b.Addr, b.Err)
		case len(b.Lacks) > 0:
			x.d.fail("kafka version", "Upgrade the broker to Kafka 2.5 or newer.", "broker %d at %s (%s) lacks %s", b.ID, b.Addr, b.Version, strings.Join(b.Lacks, ", "))
		case strings.HasPrefix(b.Version, "v"):
			versions = append(versions, fmt.Sprintf("%d at %s, speaks as Kafka %s does", b.ID, b.Addr, b.Version))
		default: // of no one version of Apache Kafka: a guess between two would mislead
			versions = append(versions, fmt.Sprintf("%d at %s, speaks all that is needed", b.ID, b.Addr))
		}
	}
	if len(versions) > 0 {
		x.d.ok("kafka connection", "broker %s", strings.Join(versions, "; "))
	}
	if n := len(brokers); n < x.c.Replication {
		x.d.fail("kafka replication", "Start more brokers, or lower REPLICATION.", "%d brokers cannot hold %d replicas", n, x.c.Replication)
	}
}

func (x *examination) topics(ctx context.Context) {
	states, err := kafka.ExamineTopics(ctx, x.client, x.c.topics(layout{streamLayout: x.c.streamLayout}))
	if err != nil {
		x.d.unknown("kafka topics", err)
		return
	}
	wanted := x.c.topics(layout{streamLayout: x.c.streamLayout})
	good := 0
	for i, t := range states {
		check, before := "topic "+t.Name, len(x.d.Findings)
		if t.Missing {
			x.d.fail(check, runTopics, "it is missing")
			continue
		}
		if want := int(wanted[i].Partitions); t.Partitions != want {
			x.d.fail(check, "Stop what writes to it, let the bridge read it to its end, delete it and run `streamflow topics`: more partitions would move symbols, and their ticks would lose their order.",
				"it has %d partitions and should have %d", t.Partitions, want)
		}
		if len(t.Leaderless) > 0 {
			x.d.fail(check, "Start the brokers that hold them.", "partitions %v have no leader: nothing can be written to them or read", t.Leaderless)
		}
		if len(t.Behind) > 0 {
			x.d.warn(check, "Look whether it is down, or its disk or network too slow: nothing is lost as long as others are in sync.",
				"partitions %v have replicas that are not in sync, those on broker %s", t.Behind, inWords(t.BehindOn))
		}
		if t.InSync < t.MinInSync && len(t.Leaderless) == 0 {
			x.d.fail(check, "Start the brokers that are away; what is sent waits until then.",
				"nothing can be written to it: %d replicas are in sync, and min.insync.replicas is %d", t.InSync, t.MinInSync)
		}
		if t.Replication < x.c.Replication {
			x.d.warn(check, "Reassign its partitions (kafka-reassign-partitions.sh): `streamflow topics` leaves the replicas of an existing topic alone.",
				"it has %d replicas and should have %d", t.Replication, x.c.Replication)
		}
		if len(t.Differences) > 0 {
			x.d.warn(check, runTopics, "its settings differ: %s", strings.Join(t.Differences, ", "))
		}
		if len(x.d.Findings) == before {
			good++
		}
	}
	x.d.most("kafka topics", good, len(states), "are as they should be: partitions, replicas, leaders, retention")
}

// inWords lists the numbers of brokers.
func inWords(brokers []int32) string {
	words := make([]string, len(brokers))
	for i, id := range brokers {
		words[i] = fmt.Sprint(id)
	}
	return strings.Join(words, ", ")
}

// kafkaClock: Kafka tells its clock to nobody. What can be known without writing
// is whether a time in its log lies ahead.
func (x *examination) kafkaClock(ctx context.Context) {
	at, err := kafka.Newest(ctx, x.client, x.c.Topic)
	switch age := time.Since(at); {
	case err != nil:
		x.d.unknown("kafka clock", err)
	case at.IsZero():
		x.d.ok("kafka clock", "not known: Kafka tells it to nobody, and %s is empty", x.c.Topic)
	case age < -x.c.MaxSkew:
		x.d.warn("kafka clock", "Let NTP or chrony set the clocks of brokers and producers.", "the newest record of %s is from %s ahead", x.c.Topic, (-age).Round(time.Millisecond))
	default:
		x.d.ok("kafka clock", "not ahead of ours by more than %s: the newest record of %s is %s old (Kafka tells no more)", x.c.MaxSkew, x.c.Topic, max(age, 0).Round(time.Millisecond))
	}
}

func (x *examination) kafkaDisk(ctx context.Context) {
	volumes, err := kafka.Volumes(ctx, x.client)
	if err != nil {
		x.d.unknown("kafka disk", err)
		return
	}
	for _, v := range volumes {
		what := fmt.Sprintf("broker %d, %s, logs of %s", v.Broker, v.Dir, bytesInWords(v.Log))
		if v.Total <= 0 || v.Usable < 0 || v.Usable > v.Total {
			x.d.ok("kafka disk", "%s; the broker does not tell how large its disk is", what)
			continue
		}
		x.d.filled("kafka disk", "Enlarge it, or lower KEEP_TICKS and KEEP_BYTES and run `streamflow topics`.", what, v.Total-v.Usable, v.Total)
	}
}

func (x *examination) postgres(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	db, err := x.c.postgresFlags.connect(ctx, "doctor", x.c.Topic)
	if err != nil {
		x.d.fail("postgres connection", "Correct DATABASE_URL or the file of the password, or start the database.", "%v", err)
		return
	}
	x.db = db
	s, err := db.Examine(ctx)
	if err != nil {
		x.d.unknown("postgres connection", err)
		return
	}
	x.database(s)
	x.c.skew(x.d, "postgres clock", s.Ahead, s.RoundTrip)
	x.d.ok("postgres disk", "the database has %s; how much its disk holds it cannot say", bytesInWords(s.Bytes))
}

func (x *examination) database(s postgres.State) {
	switch {
	case s.TooOld:
		x.d.fail("postgres version", "Upgrade it to PostgreSQL 14 or newer.", "PostgreSQL %s", s.Version)
	case s.Encoding != "UTF8":
		x.d.fail("postgres version", "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and name that one in DATABASE_URL.", "the encoding of the database is %s", s.Encoding)
	default:
		x.d.ok("postgres connection", "PostgreSQL %s; %d of %d connections are in use", s.Version, s.Connections, s.MaxConnections)
	}
	if s.Connections*10 >= s.MaxConnections*9 {
		x.d.warn("postgres connections", "Raise max_connections, or give each part fewer (pool_max_conns in DATABASE_URL).", "%d of %d are in use", s.Connections, s.MaxConnections)
	}
	switch {
	case s.Timescale != "":
		x.d.ok("timescaledb", "%s", s.Timescale)
	case s.Available:
		x.d.warn("timescaledb", "Preload it (shared_preload_libraries = 'timescaledb'), restart the server and run `streamflow topics`.", "the server has it and the database does not use it")
	default:
		x.d.ok("timescaledb", "the server has none; plain tables serve")
	}
	switch {
	case s.Standby:
		x.d.fail("postgres replication", "Name the primary in DATABASE_URL (several hosts and target_session_attrs=read-write find it).", "this is a standby: it only reads")
	case s.FollowersBehind > 64<<20:
		x.d.warn("postgres replication", "Look at the standby: its disk, its network, its log.", "%d standbys; one is %s behind", s.Followers, bytesInWords(s.FollowersBehind))
	default:
		x.d.ok("postgres replication", "%d standbys", s.Followers)
	}
	switch {
	case s.Fault != nil:
		x.d.fail("postgres migrations", "Do as it says.", "%v", s.Fault)
	case s.Applied < s.Wanted:
		x.d.fail("postgres migrations", runTopics, "%d of %d are applied", s.Applied, s.Wanted)
	default:
		x.d.ok("postgres migrations", "all %d are applied", s.Wanted)
	}
}
