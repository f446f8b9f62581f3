package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/infra/backup"
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
)

// putting is a backup that is being restored.
type putting struct {
	s      servers
	r      *backup.Reader
	l      layout
	client *kgo.Client
	js     *jetstream.Client
	db     *postgres.DB
	log    *slog.Logger
	ends   map[streamflow.Partition]int64 // where the restored partitions end
}

// putBackup makes an empty system of a backup that was checked.
func putBackup(ctx context.Context, s servers, r *backup.Reader, l layout, group string, log *slog.Logger) error {
	p := putting{s: s, r: r, l: l, log: log, ends: make(map[streamflow.Partition]int64)}
	var err error
	if p.client, err = kafka.Connect(ctx, s.config("restore", log)); err != nil {
		return err
	}
	defer p.client.Close()
	if p.js, err = s.natsFlags.connect("restore", log); err != nil {
		return err
	}
	defer p.js.Close()
	if p.db, err = s.postgresFlags.connect(ctx, "restore", s.Topic); err != nil {
		return err
	}
	defer p.db.Close()
	tables, err := p.fits()
	if err != nil {
		return err
	}
	if err := p.vacant(ctx, group); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{p.topics, p.streams, p.adopt, func(ctx context.Context) error { return p.tables(ctx, tables) }} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("%w\nthe system is restored in part and must not be started: empty it (delete the data directory; or topics, streams and tables) and restore again", err)
		}
	}
	return nil
}

// fits refuses a backup of another system than the one that is set up here.
func (p *putting) fits() (tables []postgres.TableCopy, err error) {
	for _, piece := range p.r.Below(dirPostgres) {
		var t postgres.TableCopy
		if err := json.Unmarshal(piece.About, &t); err != nil {
			return nil, fmt.Errorf("restore: %s: %w", piece.Name, err)
		}
		if have := postgres.SchemaVersion(); t.Schema > have {
			return nil, fmt.Errorf("restore: the backup's tables are of migration %04d, and this program ends at %04d: use %s or newer", t.Schema, have, p.r.Program)
		}
		tables = append(tables, t)
	}
	known := slices.Concat(p.s.sources(), p.s.results())
	for _, piece := range p.r.Below(dirKafka) {
		var c partitionCopy
		if err := json.Unmarshal(piece.About, &c); err != nil {
			return nil, fmt.Errorf("restore: %s: %w", piece.Name, err)
		}
		if !slices.Contains(known, c.Topic) {
			return nil, fmt.Errorf("restore: the backup has topic %s, which is none of this system: set KAFKA_TOPIC as it was", c.Topic)
		}
	}
	return tables, nil
}

// vacant refuses a system that is not empty, or at work.
func (p *putting) vacant(ctx context.Context, group string) error {
	var full []string
	for _, topic := range slices.Concat(p.s.sources(), p.s.results()) {
		_, end, err := kafka.Marks(ctx, p.client, topic)
		if err != nil {
			continue // it is not there, or what is wrong is seen when it is made
		}
		for number, offset := range end {
			if offset > 0 {
				full = append(full, fmt.Sprintf("topic %s has %d records in partition %d", topic, offset, number))
			}
		}
	}
	streams, err := p.js.Occupied(ctx)
	if err != nil {
		return err
	}
	tables, err := p.db.Occupied(ctx)
	if err != nil {
		return err
	}
	if full = slices.Concat(full, streams, tables); len(full) > 0 {
		slices.Sort(full)
		return fmt.Errorf("restore: the system is not empty, and nothing was touched: %s. Restore into a new one: another --data-dir, or other servers", strings.Join(full, "; "))
	}
	groups, err := kadm.NewClient(p.client).DescribeGroups(ctx, group)
	if err == nil && len(groups[group].Members) > 0 {
		return fmt.Errorf("restore: %d bridges are at work (group %s), and nothing was touched: stop all parts", len(groups[group].Members), group)
	}
	return nil
}

// topics makes the topics and fills them.
func (p *putting) topics(ctx context.Context) error {
	if _, err := kafka.EnsureTopics(ctx, p.client, p.s.topics(p.l)); err != nil {
		return err
	}
	for _, piece := range p.r.Below(dirKafka) {
		if err := p.partition(ctx, piece); err != nil {
			return err
		}
	}
	return nil
}

func (p *putting) partition(ctx context.Context, piece backup.Piece) error {
	var c partitionCopy
	if err := json.Unmarshal(piece.About, &c); err != nil {
		return fmt.Errorf("restore %s: %w", piece.Name, err)
	}
	i, err := kafka.NewImporter(ctx, p.s.config("restore", p.log), c.Topic)
	if err != nil {
		return err
	}
	defer i.Close()
	return p.r.Read(piece, nil, func(in io.Reader) error {
		count, err := i.Import(ctx, c.Partition, c.Start, c.End, c.Exact, in)
		if err != nil {
			return err
		}
		_, end, err := kafka.Marks(ctx, p.client, c.Topic)
		if err != nil {
			return err
		}
		if count != piece.Count || c.Exact && end[c.Partition] != c.End {
			return fmt.Errorf("%d records up to offset %d were written, and %d up to %d were copied", count, end[c.Partition], piece.Count, c.End)
		}
		p.ends[streamflow.Partition{Topic: c.Topic, Number: c.Partition}] = end[c.Partition]
		p.log.Info("restored", "piece", piece.Name, "count", count)
		return nil
	})
}

// streams restores streams and buckets, and makes what else there is to be.
func (p *putting) streams(ctx context.Context) error {
	if err := p.js.DropEmpty(ctx); err != nil {
		return err
	}
	for _, piece := range p.r.Below(dirJetStream) {
		tail, ok := p.r.Piece(strings.TrimSuffix(piece.Name, pieceSuffix) + tailSuffix)
		if !ok {
			continue // it is a tail itself, or the durables
		}
		var c jetstream.StreamCopy
		err := p.r.Read(piece, &c, func(snapshot io.Reader) error {
			return p.r.Read(tail, nil, func(rest io.Reader) error { return p.js.RestoreStream(ctx, c, snapshot, rest) })
		})
		if err != nil {
			return err
		}
		p.log.Info("restored", "piece", piece.Name, "count", piece.Count+tail.Count)
	}
	if piece, ok := p.r.Piece(pieceDurables); ok {
		if err := restoreDurables(ctx, p.js, p.r, piece); err != nil {
			return err
		}
	}
	_, err := p.js.Ensure(ctx, p.l.limits())
	return err
}

// adopt gives the cursors the ids of the restored topics, and refuses one that
// is ahead of its topic.
func (p *putting) adopt(ctx context.Context) error {
	meta, err := kadm.NewClient(p.client).Metadata(ctx, p.s.sources()...)
	if err != nil {
		return fmt.Errorf("ids of the topics: %w", err)
	}
	for in, end := range p.ends {
		if !slices.Contains(p.s.sources(), in.Topic) {
			continue
		}
		id := ""
		if d := meta.Topics[in.Topic]; d.ID != (kadm.TopicID{}) {
			id = d.ID.String()
		}
		mirror := p.js.Events()
		if in.Topic == p.s.Topic {
			mirror = p.js.Ticks()
		}
		if err := errors.Join(mirror.Adopt(ctx, in, id, end), p.js.DeadLetters().Adopt(ctx, in, id, end)); err != nil {
			return err
		}
	}
	return nil
}

// tables makes the tables and fills them.
func (p *putting) tables(ctx context.Context, tables []postgres.TableCopy) error {
	_, err := p.db.Migrate(ctx, postgres.Retention{Keep: p.l.KeepRows, KeepCandles: p.l.KeepCandles, CompressAfter: p.l.Compress})
	if err != nil {
		return err
	}
	piece := func(t postgres.TableCopy) backup.Piece {
		piece, _ := p.r.Piece(dirPostgres + "/" + t.Table + pieceSuffix)
		return piece
	}
	counts, err := p.db.Load(ctx, tables, func(t postgres.TableCopy, read func(io.Reader) error) error {
		return p.r.Read(piece(t), nil, read)
	})
	if err != nil {
		return err
	}
	for _, t := range tables {
		if want := piece(t).Count; counts[t.Table] != want {
			return fmt.Errorf("table %s has %d rows, and %d were copied", t.Table, counts[t.Table], want)
		}
		p.log.Info("restored", "table", t.Table, "count", counts[t.Table])
	}
	return nil
}
