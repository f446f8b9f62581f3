package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/backup"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
)

type backupCmd struct {
	Dir string `arg:"" help:"Directory to write the backup into; it must be empty or not be there yet."`
	kafkaFlags
	natsFlags
	postgresFlags
}

// Help is shown by --help.
func (backupCmd) Help() string {
	return `Copies the topics with their offsets, the streams and buckets with their positions, and the tables, while everything runs. What is derived is copied before what it is derived from, so that a restored system goes on exactly once. It holds what was stored when the command ended. A backup contains whatever the system holds, addresses of topic user-events and hashes of API keys too: keep it accordingly. "streamflow restore" makes an empty system of it.`
}

// Run takes a backup.
func (c *backupCmd) Run(ctx context.Context, log *slog.Logger) error {
	m, err := takeBackup(ctx, servers{kafkaFlags: c.kafkaFlags, natsFlags: c.natsFlags, postgresFlags: c.postgresFlags}, c.Dir, log)
	if err != nil {
		return err
	}
	describeBackup(os.Stdout, m)
	fmt.Printf("Complete: %s holds the system as it was at %s.\n", c.Dir, m.Ended.Format(time.RFC3339))
	return nil
}

// describeBackup prints what a backup holds.
func describeBackup(out io.Writer, m *backup.Manifest) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "count\tbytes\t  piece")
	for _, p := range m.Pieces {
		fmt.Fprintf(w, "%d\t%d\t  %s\n", p.Count, p.Size, p.Name)
	}
	fmt.Fprintf(w, "\t%d\t  in all\n", m.Size())
	w.Flush()
}

// Of the pieces of a backup.
const (
	dirKafka      = "kafka"
	dirJetStream  = "jetstream"
	dirPostgres   = "postgres"
	pieceSuffix   = ".zst"
	tailSuffix    = ".tail.zst"
	pieceDurables = dirJetStream + "/durables" + pieceSuffix
)

// partitionCopy is what a copy of a partition is restored by.
type partitionCopy struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Start     int64  `json:"start"`
	End       int64  `json:"end"`
	Exact     bool   `json:"exact"` // its offsets are positions, and must be as they were
}

// sources are the topics that positions count in, results those that nothing
// here counts in: their own records say how far they are written.
func (f topicFlags) sources() []string {
	return []string{f.Topic, streamflow.TopicEvents, streamflow.TopicUserEvents}
}

func (f topicFlags) results() (names []string) {
	for _, t := range f.topics(layout{}) {
		if !slices.Contains(f.sources(), t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}

// taking is a backup that is being taken.
type taking struct {
	s      servers
	w      *backup.Writer
	client *kgo.Client
	js     *jetstream.Client
	db     *postgres.DB
	log    *slog.Logger
}

// takeBackup copies everything, in an order that makes each position one of
// what is copied after it:
//
//	topics of results | counts in the streams of results, by what its records say
//	tables            | count in the streams of ticks and of results
//	streams of results| count in the streams of ticks and events
//	ticks, events     | count in the topics, and so do dead letters
//	buckets
//	topics
//
// So a position may be behind what there is, which is read again and skipped, and
// is never ahead of it.
func takeBackup(ctx context.Context, s servers, dir string, log *slog.Logger) (*backup.Manifest, error) {
	t := taking{s: s, log: log}
	var err error
	if t.client, err = kafka.Connect(ctx, s.config("backup", log)); err != nil {
		return nil, err
	}
	defer t.client.Close()
	if t.js, err = s.natsFlags.connect("backup", log); err != nil {
		return nil, err
	}
	defer t.js.Close()
	if t.db, err = s.postgresFlags.connect(ctx, "backup", s.Topic); err != nil {
		return nil, err
	}
	defer t.db.Close()
	if t.w, err = backup.Create(dir, version()); err != nil {
		return nil, err
	}
	m, err := t.whole(ctx)
	if err != nil && ctx.Err() != nil {
		err = errStopped
	}
	if err != nil { // only now: what stood there before is none of ours
		return nil, fmt.Errorf("%w\nwhat is in %s is not complete and will not be restored: delete it, and take the backup again", err, dir)
	}
	return m, nil
}

func (t *taking) whole(ctx context.Context) (*backup.Manifest, error) {
	if err := t.all(ctx); err != nil {
		return nil, err
	}
	return t.w.Finish()
}

func (t *taking) all(ctx context.Context) error {
	results, mirrored, buckets, err := t.js.Kept(ctx)
	if err != nil {
		return err
	}
	// What functions are told to do must not change meanwhile: with another number
	// of shards their states are others.
	told, err := t.js.Last(ctx, jetstream.BucketStream(streamflow.BucketFunctions))
	if err != nil {
		return err
	}
	if err := t.durables(ctx, slices.Concat(results, mirrored)); err != nil {
		return err
	}
	if err := t.topics(ctx, t.s.results(), false); err != nil {
		return err
	}
	if err := t.tables(ctx); err != nil {
		return err
	}
	for _, stream := range slices.Concat(results, mirrored, buckets) {
		if err := t.stream(ctx, stream); err != nil {
			return err
		}
	}
	now, err := t.js.Last(ctx, jetstream.BucketStream(streamflow.BucketFunctions))
	if err != nil {
		return err
	}
	if now != told {
		return errors.New("functions were started, stopped, scaled or set while the backup was taken, so that their states may not fit together")
	}
	return t.topics(ctx, t.s.sources(), true)
}

// write writes a piece and says so.
func (t *taking) write(name string, fill func(io.Writer) (int64, error), about func() any) error {
	p, err := t.w.Write(name, fill, about)
	if err == nil {
		t.log.Info("copied", "piece", p.Name, "count", p.Count, "bytes", p.Size)
	}
	return err
}

// topics copies topics. Those of results are written in transactions over all
// partitions, of which all or nothing must be in the copy.
func (t *taking) topics(ctx context.Context, names []string, exact bool) error {
	for _, topic := range names {
		look := kafka.Settled
		if exact {
			look = kafka.Marks
		}
		start, end, err := look(ctx, t.client, topic)
		if errors.Is(err, kerr.UnknownTopicOrPartition) && topic != t.s.Topic {
			continue // nobody has to have it
		}
		if err != nil {
			return err
		}
		for number := range int32(len(end)) {
			c := partitionCopy{topic, number, start[number], end[number], exact}
			err := t.write(fmt.Sprintf("%s/%s-%d%s", dirKafka, topic, number, pieceSuffix), func(w io.Writer) (int64, error) {
				return kafka.Export(ctx, t.client, topic, number, c.End, w)
			}, func() any { return c })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// tables copies the tables, all of one moment.
func (t *taking) tables(ctx context.Context) error {
	return t.db.Dump(ctx, func(c postgres.TableCopy, write func(io.Writer) (int64, error)) error {
		return t.write(dirPostgres+"/"+c.Table+pieceSuffix, write, func() any { return c })
	})
}

// stream copies a stream.
func (t *taking) stream(ctx context.Context, name string) error {
	var c jetstream.StreamCopy
	err := t.write(dirJetStream+"/"+name+pieceSuffix, func(w io.Writer) (_ int64, err error) {
		c, err = t.js.CopyStream(ctx, name, w)
		return int64(c.Msgs), err
	}, func() any { return c })
	if err != nil {
		return err
	}
	return t.write(dirJetStream+"/"+name+tailSuffix, func(w io.Writer) (int64, error) {
		return t.js.Tail(ctx, name, c.Last, w)
	}, nil)
}
