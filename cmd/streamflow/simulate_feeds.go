package main

import (
	"context"
	"log/slog"

	"streamflow"
	"streamflow/infra/kafka"
	"streamflow/infra/simulate"
)

// feedFlags say what a feed of events sends, and where to.
type feedFlags struct {
	Brokers       string `name:"kafka" help:"Kafka brokers, host:port with commas between." placeholder:"HOST:PORT" default:"127.0.0.1:9092" env:"KAFKA_BOOTSTRAP_SERVERS,KAFKA_BROKERS"`
	Rate          int    `help:"Records a second, up to 200000." default:"5" placeholder:"N"`
	Seed          uint64 `help:"Seed: the same seed makes the same customers, products and prices." default:"1"`
	kafkaSecurity `group:"Kafka security"`
	metricsFlags
}

// Validate refuses what is no rate.
func (c *feedFlags) Validate() error { return validRate(c.Rate, 1) }

type simulateEventsCmd struct{ feedFlags }

// Help is shown by --help.
func (simulateEventsCmd) Help() string {
	return `People look at products, put some into their carts and buy a few of them. A few products are looked at far more often than the others; most are cheap and a few are dear, around 25 of the customer's currency. The key of a record is the user. A record:

{"event_id":"9f2c41aa-17","type":"purchase","user_id":"u-7","product_id":"p-3","price":19.99,"currency":"EUR","timestamp":"2025-01-02T15:04:05Z"}

The bridge mirrors them to events.events.<type> in stream EVENTS; function buckets classes them by price.`
}

// Run sends until ctx ends.
func (c *simulateEventsCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.feed(ctx, streamflow.TopicEvents, simulate.NewShop(c.Seed), log)
}

type simulateUsersCmd struct{ feedFlags }

// Help is shown by --help.
func (simulateUsersCmd) Help() string {
	return `A few users log in all the time and most now and then, each mostly from the same address. The key of a record is the user. A record:

{"user_id":"u-7","user_email":"ada.hopper.7@example.com","type":"login","ip":"192.0.2.7","timestamp":"2025-01-02T15:04:05Z"}

The bridge masks the e-mail address and mirrors them to events.user-events.login in stream EVENTS; function logins counts them.`
}

// Run sends until ctx ends.
func (c *simulateUsersCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.feed(ctx, streamflow.TopicUserEvents, simulate.NewUsers(c.Seed), log)
}

// feed sends records of source to topic until ctx ends.
func (c *feedFlags) feed(ctx context.Context, topic string, source simulate.Source, log *slog.Logger) error {
	parts, err := c.part(newRegistry())
	if err != nil {
		return err
	}
	producer, err := kafka.NewProducer(ctx, kafkaFlags{Brokers: c.Brokers, kafkaSecurity: c.kafkaSecurity}.config("simulate", log), topic)
	if err != nil {
		return err
	}
	run := func(ctx context.Context) error {
		counts, err := simulate.Feed(ctx, producer, source, c.Rate, log)
		log.Info("simulator stopped", "topic", topic, "sent", counts.Live, "skipped", counts.Skipped, "stored", counts.Stored)
		return err
	}
	return runParts(ctx, log, append([]part{{"simulate " + topic, run, producer.Close}}, parts...)...)
}
