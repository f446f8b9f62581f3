package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"streamflow"
	"streamflow/functions/alerts"
	"streamflow/functions/fleet"
)

type rulesCmd struct {
	List   rulesListCmd   `cmd:"" default:"withargs" help:"Show all rules."`
	Put    rulesPutCmd    `cmd:"" help:"Store rules, checked; workers take them up at once."`
	Delete rulesDeleteCmd `cmd:"" help:"Remove a rule."`
	Check  rulesCheckCmd  `cmd:"" help:"Say what is wrong with rules, and store nothing."`
}

// Help is shown by --help.
func (rulesCmd) Help() string {
	return `A rule says when an alert is raised: {"id":"aapl-high","symbol":"AAPL","when":"price crosses above 200"}. docs/alerts.md has the grammar. Files hold one rule, or a list.`
}

// readRules reads a file of rules, - is the standard input, and checks each.
func readRules(name string) ([]streamflow.Rule, error) {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rules, err := parseRules(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rules, nil
}

func parseRules(data []byte) ([]streamflow.Rule, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil, errors.New("it is empty, want one rule or a list of rules as JSON")
	}
	if data[0] == '{' {
		data = slices.Concat([]byte("["), data, []byte("]"))
	}
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	var rules []streamflow.Rule
	if err := in.Decode(&rules); err != nil {
		return nil, fmt.Errorf("want one rule or a list of rules: %w", err)
	}
	var faults []error
	for i, r := range rules {
		if _, err := alerts.Parse(r); err != nil {
			faults = append(faults, fmt.Errorf("rule %d: %w", i+1, err))
		}
	}
	return rules, errors.Join(faults...)
}

type rulesCheckCmd struct {
	File string `arg:"" help:"File of rules; - is the standard input."`
}

// Run checks and says how each rule is understood.
func (c *rulesCheckCmd) Run() error {
	rules, err := readRules(c.File)
	if err != nil {
		return err
	}
	for _, r := range rules {
		checked, err := alerts.Parse(r)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s, judged %s\n", r.ID, checked.Condition(), checked.Judged())
	}
	return nil
}

type rulesPutCmd struct {
	File string `arg:"" help:"File of rules; - is the standard input."`
	waitFlags
}

// Run stores the rules and waits.
func (c *rulesPutCmd) Run(ctx context.Context, log *slog.Logger) error {
	rules, err := readRules(c.File)
	if err != nil {
		return err
	}
	d, err := openDesk(ctx, c.natsFlags, log)
	if err != nil {
		return err
	}
	defer d.close()
	var revision uint64
	for _, r := range rules {
		if revision, err = d.putRule(ctx, r); err != nil {
			return fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	if len(rules) == 1 {
		fmt.Printf("Rule %s is stored.\n", rules[0].ID)
	} else {
		fmt.Printf("%d rules are stored.\n", len(rules))
	}
	return c.awaitRules(ctx, d, revision)
}

// awaitRules waits until the function alerts goes by the rules of a revision.
func (f waitFlags) awaitRules(ctx context.Context, d *desk, revision uint64) error {
	if f.Wait <= 0 || revision == 0 {
		return nil
	}
	places, err := d.await(ctx, streamflow.FunctionAlerts, f.Wait, func(p fleet.Place) bool {
		return p.Rules >= revision || p.Phase == fleet.PhasePaused || p.Phase == fleet.PhaseStopped
	})
	switch {
	case err != nil:
		return err
	case len(places) == 0:
		fmt.Printf("No worker that runs %s is there now.\n", streamflow.FunctionAlerts)
	default:
		fmt.Println("They hold from now on.")
	}
	return nil
}

// putRule stores a checked rule and keeps when it was made.
func (d *desk) putRule(ctx context.Context, r streamflow.Rule) (uint64, error) {
	for {
		all, err := read(ctx, d.rules)
		if err != nil {
			return 0, err
		}
		before := all[r.ID]
		var old streamflow.Rule
		now := time.Now().UTC().Truncate(time.Millisecond)
		r.Created, r.Updated = now, now
		if before.value != nil && json.Unmarshal(before.value, &old) == nil && !old.Created.IsZero() {
			r.Created = old.Created
		}
		data, err := json.Marshal(r)
		if err != nil {
			return 0, err
		}
		revision, err := d.rules.Update(ctx, r.ID, data, before.revision)
		if !errors.Is(err, streamflow.ErrFenced) {
			return revision, err
		}
	}
}

type rulesDeleteCmd struct {
	ID string `arg:"" help:"ID of the rule."`
	natsFlags
}

// Run removes the rule.
func (c *rulesDeleteCmd) Run(ctx context.Context, log *slog.Logger) error {
	d, err := openDesk(ctx, c.natsFlags, log)
	if err != nil {
		return err
	}
	defer d.close()
	all, err := read(ctx, d.rules)
	if err != nil {
		return err
	}
	if all[c.ID].value == nil {
		maps.DeleteFunc(all, func(_ string, t told) bool { return t.value == nil })
		if len(all) == 0 {
			return fmt.Errorf("there is no rule %q, nor any other", c.ID)
		}
		return fmt.Errorf("there is no rule %q; there are: %s", c.ID, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	if err := d.rules.Delete(ctx, c.ID); err != nil {
		return err
	}
	fmt.Printf("Rule %s is removed.\n", c.ID)
	return nil
}

type rulesListCmd struct {
	natsFlags
	JSON bool `name:"json" help:"Print JSON, as put takes it."`
}

// Run prints the rules.
func (c *rulesListCmd) Run(ctx context.Context, log *slog.Logger) error {
	d, err := openDesk(ctx, c.natsFlags, log)
	if err != nil {
		return err
	}
	defer d.close()
	all, err := read(ctx, d.rules)
	if err != nil {
		return err
	}
	rules := []streamflow.Rule{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		var r streamflow.Rule
		if all[id].value != nil && json.Unmarshal(all[id].value, &r) == nil {
			rules = append(rules, r)
		}
	}
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(rules)
	}
	return printRules(os.Stdout, rules, time.Now())
}

func printRules(w io.Writer, rules []streamflow.Rule, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RULE\tSYMBOL\tWHEN\tSEVERITY\tCOOLDOWN\tSTATE")
	for _, r := range rules {
		state := "on"
		switch _, err := alerts.Parse(r); {
		case err != nil:
			state = "left out: " + clip(err.Error(), 60)
		case r.Disabled:
			state = "off"
		case !r.Expires.IsZero() && !now.Before(r.Expires):
			state = "expired"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Symbol, r.When, r.Severity, r.Cooldown, state)
	}
	return t.Flush()
}
