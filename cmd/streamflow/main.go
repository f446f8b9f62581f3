// Command streamflow runs StreamFlow: all of it on a laptop (`streamflow up`),
// or each part as a process of its own. `streamflow --help` tells the rest.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"streamflow"
)

// Exit codes.
const (
	exitFailed      = 1   // something went wrong; the message says what
	exitUsage       = 2   // the command line is wrong
	exitDifferences = 3   // verify or rebuild found differences, doctor a fault
	exitKilled      = 130 // a second signal ended the process at once
)

// errDifferences makes the process end with [exitDifferences].
var errDifferences = errors.New("differences found")

const description = `Real-time stock ticks, exactly once: Kafka -> NATS JetStream -> functions -> PostgreSQL -> API, websocket, page.

Start everything on this machine, with nothing installed: streamflow up

Look at the ticks as they come: streamflow tail

Prove that nothing is missing or doubled: streamflow verify

Every flag has an environment twin, shown behind it. The commands bridge, worker and api are the parts of "up" as processes of their own, for real clusters.`

type cli struct {
	LogLevel  string `help:"Least level that is logged: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"LOG_LEVEL"`
	LogFormat string `help:"Form of the log: text, json, or auto (text on a terminal, else json)." enum:"auto,text,json" default:"auto" env:"LOG_FORMAT"`
	Profile   string `name:"cpu-profile" help:"Write a CPU profile of the process to FILE.<command>.<pid>." hidden:"" env:"CPU_PROFILE"`

	Up        upCmd        `cmd:"" help:"Run everything in one process; Kafka, NATS and PostgreSQL too, unless their variables are set."`
	Simulate  simulateCmd  `cmd:"" help:"Send realistic ticks, or events or logins, to Kafka."`
	Ingest    ingestCmd    `cmd:"" help:"Send a file, or what is added to it, to Kafka: JSON lines or CSV, each line once."`
	Bridge    bridgeCmd    `cmd:"" help:"Mirror Kafka into JetStream, exactly once."`
	Worker    workerCmd    `cmd:"" help:"Run functions: all, or those that are named."`
	Functions functionsCmd `cmd:"" help:"Show what functions do; start, pause, scale, set and replay them; lay out one of your own."`
	Rules     rulesCmd     `cmd:"" help:"Show, check and store the rules of alerts."`
	Keys      keysCmd      `cmd:"" help:"Create, show and revoke the keys of the API."`
	API       apiCmd       `cmd:"" name:"api" help:"Serve the API, the websocket and the page."`
	Topics    topicsCmd    `cmd:"" help:"Create or adjust topics, streams, buckets and tables, and say what was changed."`
	Secure    secureCmd    `cmd:"" help:"Make the certificates, users and rights of a closed deployment."`
	Trim      trimCmd      `cmd:"" help:"Hold the streams to their limits, where the bridge may not."`
	Tail      tailCmd      `cmd:"" help:"Show ticks as they come, from Kafka or JetStream."`
	Export    exportCmd    `cmd:"" help:"Write a range of stored ticks or candles as CSV, NDJSON or Parquet."`
	Verify    verifyCmd    `cmd:"" help:"Compare Kafka, JetStream and the database, tick by tick."`
	Rebuild   rebuildCmd   `cmd:"" help:"Make JetStream's streams anew from Kafka, then verify."`
	Backup    backupCmd    `cmd:"" help:"Copy all of a running system into a directory."`
	Restore   restoreCmd   `cmd:"" help:"Make an empty system of a backup."`
	Doctor    doctorCmd    `cmd:"" help:"Examine a deployment, and say what to do."`
	Serve     serveCmd     `cmd:"" help:"Run one of the embedded servers alone: kafka, nats or postgres."`
	Bench     benchCmd     `cmd:"" help:"Measure the bridge, or the whole pipeline, on this machine."`
	Health    healthCmd    `cmd:"" help:"Ask a part on this machine whether it is ready: the health check of a container."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// gcPercent lets the heap grow to three times what is in use before it is
// collected: little is, and much is made and dropped. It costs some hundred
// megabytes at tens of thousands of ticks a second. GOGC overrides it.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("streamflow"), kong.Description(description), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"symbols": defaultSymbols, "interval": defaultInterval.String(), "group": streamflow.GroupBridge},
	)
	if err != nil {
		panic(err) // the struct above is wrong
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "streamflow:", err)
		fmt.Fprintln(os.Stderr, "`streamflow --help` shows the commands, `streamflow COMMAND --help` the flags of one.")
		return exitUsage
	}
	log := newLogger(os.Stderr, c.LogLevel, c.LogFormat)
	slog.SetDefault(log)
	ctx, stop := signals(log)
	defer stop()
	if c.Profile != "" {
		end, err := profile(fmt.Sprintf("%s.%s.%d", c.Profile, strings.Join(args[:min(2, len(args))], "-"), os.Getpid()))
		if err != nil {
			fmt.Fprintln(os.Stderr, "streamflow:", err)
			return exitFailed
		}
		defer end()
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(log)
	err = parsed.Run()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return stopped(parsed.Command())
	case errors.Is(err, errDifferences):
		return exitDifferences
	}
	fmt.Fprintf(os.Stderr, "streamflow %s: %v\n", strings.Fields(parsed.Command())[0], err)
	return exitFailed
}

// endless are the commands that end only when they are told to.
var endless = []string{"up", "simulate", "bridge", "worker", "api", "trim", "tail", "serve"}

// stopped returns the exit code of a command that a signal has ended. Whoever
// waits for a backup or an export must not take half of one for all of it.
func stopped(command string) int {
	name := strings.Fields(command)[0]
	if slices.Contains(endless, name) {
		return 0
	}
	fmt.Fprintf(os.Stderr, "streamflow %s: %v\n", name, errStopped)
	return exitFailed
}

// errStopped is the end of a command that a signal has ended too early.
var errStopped = errors.New("it was stopped before it was done")

// signals returns a context that ends with the first SIGINT, SIGTERM or SIGHUP (a
// terminal that was closed, unless nohup wants that to be ignored). The second
// ends the process at once: data are safe, whenever it happens.
func signals(log *slog.Logger) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(ch, syscall.SIGHUP)
	}
	go func() {
		s, ok := <-ch
		if !ok {
			return
		}
		log.Info("stopping; a second signal stops at once", "signal", s.String())
		cancel()
		if _, ok := <-ch; ok {
			os.Exit(exitKilled)
		}
	}()
	return ctx, func() { signal.Stop(ch); close(ch); cancel() }
}
