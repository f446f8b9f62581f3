package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"

	"streamflow"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
	"streamflow/infra/simulate"
)

const defaultInterval = simulate.DefaultInterval

var defaultSymbols = strings.Join(simulate.DefaultSymbols, ",")

// kafkaFlags say where Kafka is.
type kafkaFlags struct {
	Brokers string `name:"kafka" help:"Kafka brokers, host:port with commas between." placeholder:"HOST:PORT" default:"127.0.0.1:9092" env:"KAFKA_BOOTSTRAP_SERVERS,KAFKA_BROKERS"`
	topicFlags
	kafkaSecurity `group:"Kafka security"`
}

// topicFlags name the topic of ticks.
type topicFlags struct {
	Topic string `help:"Kafka topic of the ticks; dead letters go to TOPIC_dlq." default:"stock_ticks" env:"KAFKA_TOPIC"`
}

func (f topicFlags) deadLetters() string { return f.Topic + "_dlq" }

type natsFlags struct {
	NATS         string `name:"nats" help:"NATS server." placeholder:"URL" default:"nats://127.0.0.1:4222" env:"NATS_URL"`
	natsSecurity `group:"NATS security"`

	taps *jetstream.Taps // of the process, if several parts of it read; or nil
}

type postgresFlags struct {
	Database string `name:"database" help:"PostgreSQL database." placeholder:"URL" default:"postgres://streamflow@127.0.0.1:5433/streamflow?sslmode=disable" env:"DATABASE_URL"`
	passwordFlags
}

// symbolFlags say what the simulator sends.
type symbolFlags struct {
	Symbols    []string      `help:"Symbols to simulate." default:"${symbols}" env:"STOCK_SYMBOLS"`
	Interval   time.Duration `help:"Length of a round, in which every symbol has one tick." default:"${interval}" env:"TICK_INTERVAL"`
	Volatility float64       `help:"Standard deviation of a year's price changes: 0.3 is 30 %." default:"0.3" env:"PRICE_VOLATILITY"`
	Rate       int           `help:"Ticks a second in all, up to 200000, instead of rounds; 0 means rounds." default:"0" placeholder:"N"`
	Seed       uint64        `help:"Seed of the price process: the same seed gives the same prices." default:"1"`
}

// Validate refuses what the simulator would take for something else.
func (f *symbolFlags) Validate() error {
	if err := validSymbols("--symbols: ", f.Symbols); err != nil {
		return err
	}
	if s, ok := twice(f.Symbols); ok {
		return fmt.Errorf("--symbols: %s stands there twice", s)
	}
	switch {
	case len(f.Symbols) == 0:
		return errors.New("--symbols is empty, want one or more, such as AAPL,MSFT")
	case f.Interval < time.Millisecond:
		return fmt.Errorf("--interval is %s, want 1ms or more", f.Interval)
	case !(f.Volatility > 0 && f.Volatility <= simulate.MaxVolatility):
		return fmt.Errorf("--volatility is %v, want above 0 and up to %v: 0.3 is 30 %% a year", f.Volatility, float64(simulate.MaxVolatility))
	}
	return validRate(f.Rate, 0)
}

// validSymbols checks symbols; prefix says whose they are.
func validSymbols(prefix string, symbols []string) error {
	for _, s := range symbols {
		if !streamflow.ValidSymbol(s) {
			return fmt.Errorf("%s%q is not a symbol", prefix, s)
		}
	}
	return nil
}

// twice returns the first symbol that stands there a second time.
func twice(symbols []string) (string, bool) {
	for i, s := range symbols {
		if slices.Contains(symbols[:i], s) {
			return s, true
		}
	}
	return "", false
}

// validRate checks a rate of records that are made up.
func validRate(rate, least int) error {
	if rate < least || rate > simulate.MaxRate {
		return fmt.Errorf("--rate is %d, want %d to %d a second", rate, least, simulate.MaxRate)
	}
	return nil
}

func (f kafkaFlags) config(name string, log *slog.Logger) kafka.Config {
	return kafka.Config{Brokers: kafka.Brokers(f.Brokers), ClientID: "streamflow-" + name, Security: f.security(), Logger: log}
}

// connector returns a function that opens Kafka clients for the part name. With
// a registry their metrics are in it; then only one may be open at a time.
func (f kafkaFlags) connector(name string, log *slog.Logger, r *prometheus.Registry) func(context.Context, ...kgo.Opt) (*kgo.Client, error) {
	return func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
		if r != nil {
			opts = append(opts, kgo.WithHooks(kprom.NewMetrics("streamflow", kprom.Subsystem("kafka_"+name), kprom.Registerer(r))))
		}
		return kafka.Connect(ctx, f.config(name, log), opts...)
	}
}

func (f natsFlags) connect(name string, log *slog.Logger) (*jetstream.Client, error) {
	c, err := jetstream.Connect(f.NATS, name, log, f.security())
	if err == nil && f.taps != nil {
		c.Share(f.taps)
	}
	return c, err
}

func (f postgresFlags) connect(ctx context.Context, name, topic string) (*postgres.DB, error) {
	url, err := f.into(f.Database)
	if err != nil {
		return nil, err
	}
	return postgres.Connect(ctx, url, postgres.WithName("streamflow "+name), postgres.WithTopic(topic))
}

// topics are the topics of the address book as they should be.
func (f topicFlags) topics(l layout) []kafka.Topic {
	topic := func(name string, keep time.Duration, bytes int64) kafka.Topic {
		t := kafka.Topic{Name: name, Partitions: streamflow.TickPartitions, Replication: int16(l.Replication), Retention: keep}
		limit := int64(-1) // none, also where there was one
		if bytes > 0 {     // Kafka counts by partition
			limit = bytes / streamflow.TickPartitions
		}
		t.Config = map[string]string{"retention.bytes": strconv.FormatInt(limit, 10)}
		return t
	}
	// The end of what is written back tells how far it has come. So those topics
	// are kept for no less than the streams that they are written from.
	return []kafka.Topic{
		topic(f.Topic, l.Keep, l.KeepBytes), topic(f.deadLetters(), 7*l.Keep, l.KeepBytes/10),
		topic(streamflow.TopicCandles, 7*l.Keep, l.KeepBytes/2), topic(streamflow.TopicAlerts, 7*l.Keep, l.KeepBytes/10),
		topic(streamflow.TopicIndicators, l.Keep, l.KeepBytes/2), // large: one a tick
		// Logins hold addresses that are not masked yet: no longer than need be.
		topic(streamflow.TopicEvents, l.Keep, l.KeepBytes/2), topic(streamflow.TopicUserEvents, l.Keep, l.KeepBytes/10),
	}
}
