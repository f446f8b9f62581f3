package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"streamflow"
	"streamflow/infra/ingest"
	"streamflow/infra/kafka"
)

type ingestCmd struct {
	File string `arg:"" help:"File to read; - is the standard input." default:"-" placeholder:"FILE"`
	kafkaFlags
	To       string            `help:"Topic to send to, by its route: that of the ticks, events or user-events." placeholder:"TOPIC" env:"INGEST_TOPIC"`
	Format   string            `help:"What a line is: json (one object), csv (the first line names the columns), or auto: csv if the file's name holds .csv." enum:"auto,json,csv" default:"auto"`
	Columns  map[string]string `name:"column" help:"CSV: the column of a member, where their names differ, such as price=Last." placeholder:"MEMBER=NAME"`
	Ignore   []string          `help:"CSV: columns that are left out." default:"partition,offset" placeholder:"NAME"`
	Comma    string            `help:"CSV: what stands between fields; tab for a tabulator." default:","`
	Follow   bool              `short:"f" help:"Go on with what is added to the file, and through its rotation and truncation."`
	Rotated  string            `help:"Names that rotation gives to the file; FILE with . or - and more behind it unless told." placeholder:"GLOB"`
	Settle   time.Duration     `help:"How long a rotated file must have been left alone before the next one is read." default:"2s"`
	State    string            `help:"File that holds how far FILE was sent; .FILE.TOPIC.ingest beside it unless told." placeholder:"FILE" env:"INGEST_STATE"`
	Again    bool              `help:"Send FILE from its beginning, though it was sent before."`
	Doubt    string            `help:"What to do with the last lines of a process that died, if Kafka no longer tells whether it has them: send or skip." placeholder:"send|skip"`
	Rejected string            `help:"File to which lines that are refused are added, one JSON object each, with their numbers and reasons." placeholder:"FILE"`
	Rate     int               `help:"Records a second at most; 0 is no limit." default:"0" placeholder:"N"`
	Quiet    bool              `short:"q" help:"Show no progress."`
	maskFlags
}

// ingestHeader is the header of the last record of a transaction: which one.
const ingestHeader = "Ingest"

// errRejected ends with exit code 3.
var errRejected = fmt.Errorf("lines were rejected: %w", errDifferences)

// Help is shown by --help.
func (ingestCmd) Help() string {
	return `Every line is checked as the bridge checks it, masked where the topic's route says so, and sent in transactions; what is refused is reported with its number and reason, and the exit code is 3. How far a file was sent is kept on the disk: a process that is killed goes on where it was when it is started again, and nothing is lost or doubled.

  streamflow ingest ticks.csv --column price=Last --column timestamp=Time
  streamflow ingest --follow /var/log/trades.json
  zcat old.json.gz | streamflow ingest -

docs/ingest.md tells about formats, rotation and what is kept.`
}

// Validate refuses what makes no sense for any file.
func (c *ingestCmd) Validate() error {
	switch {
	case c.Doubt != "" && c.Doubt != "send" && c.Doubt != "skip":
		return fmt.Errorf("--doubt %q: want send or skip", c.Doubt)
	case c.Rate < 0:
		return fmt.Errorf("--rate is %d, want 0, for no limit, or more", c.Rate)
	case c.Follow && c.File == "-":
		return errors.New("--follow is for files: the standard input is read to its end anyway")
	}
	_, err := c.csv(c.Topic)
	if err == nil {
		_, err = c.route()
	}
	return err
}

// Run sends the file.
func (c *ingestCmd) Run(ctx context.Context, log *slog.Logger) error {
	route, err := c.route()
	if err != nil {
		return err
	}
	config, err := c.config(route, log)
	if err != nil {
		return err
	}
	report, err := newIngestReport(c.Rejected, len(route.Mask) > 0, config.check, c.Quiet)
	if err != nil {
		return err
	}
	config.Rejected, config.Progress = report.rejected, report.progress
	_, unknown := os.Stat(config.State)
	done, err := ingest.Run(ctx, config.Config)
	err = errors.Join(err, report.close(done))
	switch {
	case err == nil && ctx.Err() != nil && c.File == "-":
		return errStopped // the next one begins at what its own input begins with
	case err == nil && ctx.Err() != nil && !c.Follow:
		return fmt.Errorf("%w: start it again, and it goes on where it was", errStopped)
	case err == nil && done.Rejected > 0:
		return errRejected
	case err == nil && unknown == nil && !c.Follow && !c.Quiet && done.Sent == 0:
		fmt.Fprintf(os.Stderr, "%s holds nothing new: what was sent before is not sent again (--again does)\n", c.File)
	}
	return err
}

func (c *ingestCmd) route() (streamflow.Route, error) {
	switch c.To {
	case "", c.Topic:
		return streamflow.TickRoute(c.Topic), nil
	case streamflow.TopicEvents:
		return streamflow.EventRoute(c.To), nil
	case streamflow.TopicUserEvents:
		return streamflow.UserEventRoute(c.To), nil
	}
	return streamflow.Route{}, fmt.Errorf("--to: there is no route for topic %q; there are %s, %s and %s (--topic names another topic of ticks)",
		c.To, c.Topic, streamflow.TopicEvents, streamflow.TopicUserEvents)
}

// ingestConfig is the configuration with what the report needs of it.
type ingestConfig struct {
	ingest.Config
	check ingestCheck
}

func (c *ingestCmd) config(route streamflow.Route, log *slog.Logger) (ingestConfig, error) {
	check := ingestCheck{route: route}
	if len(route.Mask) > 0 {
		var err error
		if check.mask, err = c.mask(); err != nil {
			return ingestConfig{}, err
		}
	}
	config := ingest.Config{
		Target: route.Topic, Follow: c.Follow, Rotated: c.Rotated, Again: c.Again, Settle: c.Settle, Doubt: c.Doubt,
		Rate: c.Rate, Check: check.record, Logger: log,
		Open: func(id string) ingest.Sink {
			return ingestSink{kafka.NewTransactor(c.kafkaFlags.config("ingest", log), "streamflow-ingest-"+id, route.Topic, ingestHeader)}
		},
	}
	if c.File == "-" {
		config.In = os.Stdin
	} else {
		name, err := filepath.Abs(c.File)
		if err != nil {
			return ingestConfig{}, err
		}
		if config.File, config.State = name, c.State; c.State == "" {
			config.State = ingest.StateFile(name, route.Topic)
		} else if config.State, err = filepath.Abs(c.State); err != nil {
			return ingestConfig{}, err
		}
	}
	if c.Format == "csv" || c.Format == "auto" && strings.Contains(filepath.Base(c.File), ".csv") {
		var err error
		if config.CSV, err = c.csv(route.Topic); err != nil {
			return ingestConfig{}, err
		}
	}
	return ingestConfig{config, check}, nil
}

// ingestTexts are the members of all routes that are texts.
var ingestTexts = []string{"symbol", "id", "exchange", "event_id", "type", "user_id", "product_id", "currency", "user_email", "ip"}

func (c *ingestCmd) csv(topic string) (*ingest.CSV, error) {
	table := &ingest.CSV{Rename: make(map[string]string), Ignore: c.Ignore, Texts: ingestTexts, Comma: ','}
	for member, column := range c.Columns {
		table.Rename[column] = member
	}
	switch {
	case c.Comma == "tab":
		table.Comma = '\t'
	case len(c.Comma) == 1 && !strings.ContainsAny(c.Comma, "\"\r\n"):
		table.Comma = c.Comma[0]
	default:
		return nil, fmt.Errorf("--comma %q: want one character, or tab", c.Comma)
	}
	switch topic {
	case c.Topic:
		table.Required = []string{"symbol", "price", "volume", "timestamp"}
	case streamflow.TopicEvents:
		table.Required = []string{"event_id", "type", "price", "timestamp"}
	case streamflow.TopicUserEvents:
		table.Required = []string{"user_id", "user_email", "type", "timestamp"}
	}
	return table, nil
}
