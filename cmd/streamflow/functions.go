package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"streamflow"
	"streamflow/functions/fleet"
)

type functionsCmd struct {
	List   functionsListCmd   `cmd:"" default:"withargs" help:"Show all functions: what is desired, who works on them, how fast, how far behind."`
	Show   functionsShowCmd   `cmd:"" help:"Show one function, its parameters and its shards."`
	Start  functionsStartCmd  `cmd:"" help:"Run a function; it goes on where it was."`
	Pause  functionsPauseCmd  `cmd:"" help:"Let a function rest; its place is kept."`
	Stop   functionsStopCmd   `cmd:"" help:"Let go of a function; it goes on where it was when it is started."`
	Scale  functionsScaleCmd  `cmd:"" help:"Share the keys of a function among N shards."`
	Set    functionsSetCmd    `cmd:"" help:"Change parameters of a function while it runs."`
	Replay functionsReplayCmd `cmd:"" help:"Compute a function anew from the start of its stream and publish again from a time on."`
	New    functionsNewCmd    `cmd:"" help:"Lay out a function of your own: its file, its test, its line in the registry."`
}

// Help is shown by --help.
func (functionsCmd) Help() string {
	return `What people want of a function is data in bucket functions; the workers watch it. A change is checked before it is written, and the command returns when every worker has made it so.`
}

// waitFlags say how long a change is waited for.
type waitFlags struct {
	natsFlags
	Wait time.Duration `help:"How long to wait until the workers have made it so; 0 does not wait." default:"30s"`
}

type functionsStartCmd struct {
	Name string `arg:"" help:"The function."`
	waitFlags
}

// Run asks for it and waits.
func (c *functionsStartCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.state(ctx, log, c.Name, streamflow.StateRunning)
}

type functionsPauseCmd functionsStartCmd

// Run asks for it and waits.
func (c *functionsPauseCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.state(ctx, log, c.Name, streamflow.StatePaused)
}

type functionsStopCmd functionsStartCmd

// Run asks for it and waits.
func (c *functionsStopCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.state(ctx, log, c.Name, streamflow.StateStopped)
}

func (f waitFlags) state(ctx context.Context, log *slog.Logger, name string, s streamflow.DesiredState) error {
	return f.change(ctx, log, name, func(d *streamflow.Desired) error { d.State = s; return nil })
}

type functionsScaleCmd struct {
	Name   string `arg:"" help:"The function."`
	Shards int    `arg:"" help:"How many shards, 1 to 64."`
	waitFlags
}

// Validate refuses what no function can have.
func (c *functionsScaleCmd) Validate() error {
	if c.Shards < 1 || c.Shards > streamflow.MaxShards {
		return fmt.Errorf("<shards> is %d, want 1 to %d", c.Shards, streamflow.MaxShards)
	}
	return nil
}

// Run asks for it and waits.
func (c *functionsScaleCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.change(ctx, log, c.Name, func(d *streamflow.Desired) error { d.Shards = c.Shards; return nil })
}

type functionsSetCmd struct {
	Name   string   `arg:"" help:"The function."`
	Params []string `arg:"" help:"key=value with a JSON value or a plain text, null to go back to the default; or one JSON object in place of all."`
	waitFlags
}

// Validate refuses what is no parameter of any function.
func (c *functionsSetCmd) Validate() error {
	_, err := setParams(nil, c.Params)
	return err
}

// Run asks for it and waits.
func (c *functionsSetCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.change(ctx, log, c.Name, func(d *streamflow.Desired) (err error) {
		d.Params, err = setParams(d.Params, c.Params)
		return err
	})
}

type functionsReplayCmd struct {
	Name string `arg:"" help:"The function."`
	From string `required:"" help:"Results of messages produced since then are published again: an age such as 2h or 3d, or a time as RFC 3339." placeholder:"AGE|TIME"`
	waitFlags
}

// Validate reads the time.
func (c *functionsReplayCmd) Validate() error {
	_, err := newReplay(c.From, time.Now().UTC())
	return err
}

// Run asks for it and waits.
func (c *functionsReplayCmd) Run(ctx context.Context, log *slog.Logger) error {
	r, err := newReplay(c.From, time.Now().UTC())
	if err != nil {
		return err
	}
	err = c.change(ctx, log, c.Name, func(d *streamflow.Desired) error { d.Replay = &r; return nil })
	if err == nil {
		fmt.Printf("Results since %s are published again with header %s: %s.\n", r.From.Format(time.RFC3339), streamflow.HeaderReplay, r.ID)
	}
	return err
}

// newReplay is a replay from an age or a time on, as of now.
func newReplay(from string, now time.Time) (streamflow.Replay, error) {
	since, err := replayFrom(from, now)
	if err != nil {
		return streamflow.Replay{}, fmt.Errorf("--from: %w", err)
	}
	return streamflow.Replay{ID: now.Format("20060102T150405.000000000Z"), From: since}, nil
}

// replayFrom reads an age or a time.
func replayFrom(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		if t.After(now) {
			return t, fmt.Errorf("%s lies ahead", s)
		}
		return t.UTC(), nil
	}
	d, err := age(s)
	if err != nil || d <= 0 {
		return now, fmt.Errorf("%q: want an age such as 2h or 3d, or a time such as 2025-01-02T15:04:05Z", s)
	}
	return now.Add(-d), nil
}

// change writes what edit makes of the desired state of a function, checked,
// and waits until the workers have made it so.
func (f waitFlags) change(ctx context.Context, log *slog.Logger, name string, edit func(*streamflow.Desired) error) error {
	e, err := lookUp(name)
	if err != nil {
		return err
	}
	d, err := openDesk(ctx, f.natsFlags, log)
	if err != nil {
		return err
	}
	defer d.close()
	revision, desired, err := d.write(ctx, e, edit)
	if err != nil {
		return err
	}
	if f.Wait <= 0 {
		fmt.Printf("%s: %s is asked for.\n", name, describe(desired))
		return nil
	}
	places, err := d.await(ctx, name, f.Wait, func(p fleet.Place) bool { return p.Revision >= revision })
	if err != nil {
		return fmt.Errorf("%s: %s is asked for: %w", name, describe(desired), err)
	}
	if len(places) == 0 {
		fmt.Printf("%s: %s is noted; no worker that runs it is there now: `streamflow worker %s`.\n", name, describe(desired), name)
		return nil
	}
	fmt.Printf("%s: %s.\n", name, describe(desired))
	return nil
}

// describe says in words what is desired.
func describe(d streamflow.Desired) string {
	text := string(d.State)
	if d.Shards > 1 {
		text += fmt.Sprintf(" in %d shards", d.Shards)
	}
	if len(d.Params) > 0 {
		text += " with " + string(d.Params)
	}
	return text
}

// setParams changes members of the parameters, a JSON object.
func setParams(params json.RawMessage, changes []string) (json.RawMessage, error) {
	if len(changes) == 1 && json.Valid([]byte(changes[0])) && changes[0][0] == '{' {
		return json.RawMessage(changes[0]), nil
	}
	members := make(map[string]json.RawMessage)
	if len(params) > 0 {
		if err := json.Unmarshal(params, &members); err != nil {
			return nil, fmt.Errorf("the parameters are no object, give all of them as JSON: %w", err)
		}
	}
	for _, c := range changes {
		key, value, ok := cutPair(c)
		if !ok {
			return nil, fmt.Errorf("parameter %q: want key=value, or one JSON object", c)
		}
		switch {
		case value == "null":
			delete(members, key)
		case json.Valid([]byte(value)):
			members[key] = json.RawMessage(value)
		default:
			text, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			members[key] = text
		}
	}
	if len(members) == 0 {
		return nil, nil
	}
	return json.Marshal(members)
}

type functionsListCmd struct {
	natsFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints the table.
func (c *functionsListCmd) Run(ctx context.Context, log *slog.Logger) error {
	d, err := openDesk(ctx, c.natsFlags, log)
	if err != nil {
		return err
	}
	defer d.close()
	rows, err := d.rows(ctx)
	if err != nil {
		return err
	}
	if !c.JSON {
		return printFunctions(os.Stdout, rows, time.Now())
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(rows)
}

type functionsShowCmd struct {
	Name string `arg:"" help:"The function."`
	natsFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints the function.
func (c *functionsShowCmd) Run(ctx context.Context, log *slog.Logger) error {
	if _, err := lookUp(c.Name); err != nil {
		return err
	}
	d, err := openDesk(ctx, c.natsFlags, log)
	if err != nil {
		return err
	}
	defer d.close()
	rows, err := d.rows(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Name != c.Name {
			continue
		}
		if c.JSON {
			enc := json.NewEncoder(os.Stdout)
			enc.SetIndent("", "  ")
			return enc.Encode(r)
		}
		return printFunction(os.Stdout, r, time.Now())
	}
	return errors.New("it is gone")
}
