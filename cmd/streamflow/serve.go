package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"streamflow/infra/embedded"
)

// dataFlags say where the embedded servers keep their data and listen.
type dataFlags struct {
	DataDir      string `help:"Directory of the embedded servers' data." default:"./data" env:"DATA_DIR"`
	KafkaAddr    string `help:"Address of the embedded Kafka." default:"127.0.0.1:9092" env:"KAFKA_ADDR"`
	NATSAddr     string `name:"nats-addr" help:"Address of the embedded NATS." default:"127.0.0.1:4222" env:"NATS_ADDR"`
	DiskReserve  int64  `help:"Bytes of the disk that the embedded servers leave free: below that they refuse what would be stored, until there is space; below 0, none." default:"67108864" env:"DISK_RESERVE"`
	PostgresAddr string `help:"Address of the embedded PostgreSQL." default:"127.0.0.1:5433" env:"POSTGRES_ADDR"`
	kafkaSync
}

// kafkaSync says what a power cut may cost.
type kafkaSync struct {
	KafkaSync bool `help:"Have the embedded Kafka bring each batch to the disk before it answers. Without it ticks come through sooner, as with Apache Kafka's own default; a killed process loses nothing either way, a power cut may lose the last ticks." default:"true" negatable:"" env:"KAFKA_SYNC"`
}

type serveCmd struct {
	Server string `arg:"" help:"Server to run: kafka, nats or postgres." enum:"kafka,nats,postgres"`
	dataFlags
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, log *slog.Logger) error {
	dir := filepath.Join(c.DataDir, c.Server)
	release, err := embedded.LockDir(dir)
	if err != nil {
		return err
	}
	defer release()
	started, err := c.start(ctx, c.Server, nil, log)
	if err != nil {
		return err
	}
	fmt.Println(started.url)
	select {
	case <-ctx.Done():
	case <-started.done:
		err = fmt.Errorf("%s has ended by itself; its log is in %s", c.Server, dir)
	}
	if closed := started.close(); err == nil {
		err = closed
	}
	return err
}

// server is an embedded server that runs.
type server struct {
	url   string
	close func() error
	done  <-chan struct{} // closed if it ends by itself; nil if it cannot
}

// start starts the embedded server of that name, closed by the vault.
func (f dataFlags) start(ctx context.Context, name string, v *vault, log *slog.Logger) (server, error) {
	dir, err := filepath.Abs(filepath.Join(f.DataDir, name))
	if err != nil {
		return server{}, err
	}
	switch name {
	case "kafka":
		c, err := v.kafka(embedded.KafkaConfig{Addr: f.KafkaAddr, Dir: dir, Reserve: f.DiskReserve, NoSync: !f.KafkaSync, Logger: log})
		if err != nil {
			return server{}, err
		}
		k, err := embedded.StartKafka(c)
		if err != nil {
			return server{}, err
		}
		return server{url: k.Addr(), close: k.Close}, nil
	case "nats":
		c, err := v.nats(embedded.NATSConfig{Addr: f.NATSAddr, Dir: dir, Reserve: f.DiskReserve, Logger: log})
		if err != nil {
			return server{}, err
		}
		n, err := embedded.StartNATS(c)
		if err != nil {
			return server{}, err
		}
		return server{url: n.URL(), close: n.Close}, nil
	default:
		c, err := v.postgres(embedded.PostgresConfig{Addr: f.PostgresAddr, Dir: dir, Reserve: f.DiskReserve, Logger: log})
		if err != nil {
			return server{}, err
		}
		p, err := embedded.StartPostgres(ctx, c)
		if err != nil {
			return server{}, err
		}
		return server{url: p.URL(), close: p.Close, done: p.Done()}, nil
	}
}
