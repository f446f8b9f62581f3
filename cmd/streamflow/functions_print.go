package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"streamflow/functions/fleet"
)

// printFunctions prints one line a function.
func printFunctions(w io.Writer, rows []functionRow, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FUNCTION\tDESIRED\tSHARDS\tOWNERS\tRATE/S\tLAG\tERRORS\tDEAD\tP50\tP99\tCHECKPOINT\tLAST ERROR")
	for _, r := range rows {
		s := sum(r.Shards)
		fault := r.Fault
		if fault == "" {
			fault = s.LastError
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%.0f\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", r.Name, r.Desired.State, r.Desired.Shards, r.owners(),
			s.Rate, s.Lag, s.Errors, s.DeadLetters, micros(s.StepP50), micros(s.StepP99), ago(s.Checkpoint, now), clip(fault, 60))
	}
	return t.Flush()
}

// printFunction prints all that is known of one.
func printFunction(w io.Writer, r functionRow, now time.Time) error {
	fmt.Fprintf(w, "%s: %s\n", r.Name, r.Does)
	fmt.Fprintf(w, "reads %s, writes %s\n", r.Reads, r.Writes)
	fmt.Fprintf(w, "desired: %s\n", describe(r.Desired))
	if r.Desired.Replay != nil {
		fmt.Fprintf(w, "newest replay: %s, from %s\n", r.Desired.Replay.ID, r.Desired.Replay.From.Format(time.RFC3339))
	}
	if r.Layout.Generation > 0 {
		fmt.Fprintf(w, "layout: generation %d, shards %d\n", r.Layout.Generation, r.Layout.Shards)
	}
	if r.Fault != "" {
		fmt.Fprintf(w, "refused: %s\n", r.Fault)
	}
	for id, p := range r.Places {
		fmt.Fprintf(w, "worker %s: %s\n", id, p.Phase)
	}
	if len(r.Shards) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SHARD\tOWNER\tKEYS\tMESSAGES\tRATE/S\tLAG\tFACTS\tERRORS\tDEAD\tP50\tP99\tCHECKPOINT\tNEWEST INPUT\tLAST ERROR")
	for _, s := range r.Shards {
		owner := s.Worker
		switch {
		case s.Asleep:
			owner = "(asleep)"
		case owner == "":
			owner = "-"
		}
		fmt.Fprintf(t, "%d\t%s\t%d\t%d\t%.0f\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", s.Shard, owner, s.Keys, s.Messages, s.Rate, s.Lag, s.Facts,
			s.Errors, s.DeadLetters, micros(s.StepP50), micros(s.StepP99), ago(s.Checkpoint, now), ago(s.NewestInput, now), clip(s.LastError, 80))
	}
	return t.Flush()
}

// sum is the function as a whole: latencies of its slowest shard, the oldest
// checkpoint.
func sum(shards []fleet.ShardReport) (all fleet.ShardReport) {
	for _, s := range shards {
		all.Rate += s.Rate
		all.Lag += s.Lag
		all.Errors += s.Errors
		all.DeadLetters += s.DeadLetters
		all.StepP50, all.StepP99 = max(all.StepP50, s.StepP50), max(all.StepP99, s.StepP99)
		if all.Checkpoint.IsZero() || !s.Checkpoint.IsZero() && s.Checkpoint.Before(all.Checkpoint) {
			all.Checkpoint = s.Checkpoint
		}
		if s.LastError != "" {
			all.LastError = s.LastError
		}
	}
	return all
}

func micros(us float64) string {
	if us == 0 {
		return "-"
	}
	return time.Duration(us * float64(time.Microsecond)).Round(100 * time.Nanosecond).String()
}

func ago(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return max(now.Sub(t), 0).Round(time.Second).String() + " ago"
}

// clip shortens a text to one line of n characters.
func clip(s string, n int) string {
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// cutPair reads key=value.
func cutPair(s string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(s, "=")
	return key, value, ok && key != ""
}
