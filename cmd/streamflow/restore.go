package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"streamflow/infra/backup"
	"streamflow/infra/embedded"
)

type restoreCmd struct {
	Dir      string `arg:"" help:"Directory of the backup."`
	Brokers  string `name:"kafka" help:"Kafka brokers, host:port with commas between; if empty, the embedded one of --data-dir." placeholder:"HOST:PORT" env:"KAFKA_BOOTSTRAP_SERVERS,KAFKA_BROKERS"`
	NATS     string `name:"nats" help:"NATS server; if empty, the embedded one of --data-dir." placeholder:"URL" env:"NATS_URL"`
	Database string `name:"database" help:"PostgreSQL database; if empty, the embedded one of --data-dir." placeholder:"URL" env:"DATABASE_URL"`
	passwordFlags
	topicFlags
	kafkaSecurity `group:"Kafka security"`
	natsSecurity  `group:"NATS security"`
	dataFlags
	layout
	Group  string `help:"Consumer group of the bridges, none of which may run." default:"${group}" env:"CONSUMER_GROUP"`
	Secure bool   `help:"The embedded servers are those of up --secure." env:"SECURE"`
	Check  bool   `help:"Only check that the backup is whole, and say what it holds."`
}

// Help is shown by --help.
func (restoreCmd) Help() string {
	return `Makes an empty system of a backup: topics with their offsets, streams and buckets with their positions, tables. It first reads all of the backup and compares it with its manifest, and looks whether the system is empty; until then it touches nothing. Start the system after that: it goes on where the backup ended, and "streamflow verify" shows that it is equal. For "streamflow up" name its --data-dir and nothing else; it must not run.`
}

// Run restores.
func (c *restoreCmd) Run(ctx context.Context, log *slog.Logger) error {
	r, err := backup.Open(c.Dir)
	if err != nil {
		return err
	}
	log.Info("checking the backup", "dir", c.Dir, "bytes", r.Size(), "ended", r.Ended)
	show := checking(r.Size(), log)
	if err := r.Check(ctx, show); err != nil {
		return fmt.Errorf("%w; nothing was restored: use another backup", err)
	}
	if c.Check {
		describeBackup(os.Stdout, &r.Manifest)
		fmt.Printf("Whole: %s holds the system as it was at %s.\n", c.Dir, r.Ended.Format(time.RFC3339))
		return nil
	}
	s, stop, err := c.open(ctx, log)
	defer func() {
		if stopped := stop(); stopped != nil {
			log.Warn("a server did not stop as it should", "error", stopped)
		}
	}()
	if err != nil {
		return err
	}
	if err := putBackup(ctx, s, r, c.layout, c.Group, log); err != nil {
		return err
	}
	fmt.Printf("Restored: the system is as it was at %s. Start it, and let `streamflow verify` show that all is there.\n", r.Ended.Format(time.RFC3339))
	return nil
}

// checking says every few seconds how far the check has come.
func checking(total int64, log *slog.Logger) func(int64) {
	last := time.Now()
	return func(done int64) {
		if time.Since(last) > 5*time.Second {
			last = time.Now()
			log.Info("checking the backup", "bytes", done, "of", total)
		}
	}
}

// open starts those of the servers that are not named. stop is never nil.
func (c *restoreCmd) open(ctx context.Context, log *slog.Logger) (s servers, stop func() error, err error) {
	up := upCmd{
		Brokers: c.Brokers, NATS: c.NATS, Database: c.Database, passwordFlags: c.passwordFlags, topicFlags: c.topicFlags,
		kafkaSecurity: c.kafkaSecurity, natsSecurity: c.natsSecurity, dataFlags: c.dataFlags, layout: c.layout, Secure: c.Secure,
	}
	up.Group = c.Group
	stop = func() error { return nil }
	if c.Brokers == "" || c.NATS == "" || c.Database == "" {
		release, err := embedded.LockDir(c.DataDir)
		if err != nil {
			return s, stop, err
		}
		stop = func() error { release(); return nil }
	}
	v, err := up.vault()
	if err != nil {
		return s, stop, err
	}
	s, _, closed, err := up.servers(ctx, v, log)
	unlock := stop
	return v.as(s, partAdmin), func() error { return errors.Join(closed(), unlock()) }, err
}
