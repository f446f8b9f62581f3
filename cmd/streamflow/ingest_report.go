package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"streamflow"
	"streamflow/infra/ingest"
)

// ingestReport tells people how far it has come, and what was refused.
type ingestReport struct {
	check    ingestCheck
	masks    bool
	file     *os.File // of rejected lines; nil for none
	quiet    bool
	terminal bool
	began    time.Time
	shown    time.Time // when progress was
	tenth    int64
	told     int64 // rejected lines on the terminal
	drawn    bool  // a line of progress stands there
}

// maxTold is how many rejected lines are shown: a file of the wrong form would
// show every one of its lines.
const maxTold = 50

func newIngestReport(rejected string, masks bool, check ingestCheck, quiet bool) (*ingestReport, error) {
	r := &ingestReport{check: check, masks: masks, quiet: quiet, terminal: term.IsTerminal(int(os.Stderr.Fd())), began: time.Now()}
	if rejected == "" {
		return r, nil
	}
	var err error
	if r.file, err = os.OpenFile(rejected, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, fmt.Errorf("--rejected: %w", err)
	}
	return r, nil
}

// rejected reports a line.
func (r *ingestReport) rejected(no ingest.Rejection) error {
	why := no.Err.Error()
	if r.masks {
		why = r.check.mask.Addresses(why)
	}
	if r.told++; r.told <= maxTold {
		r.clear()
		fmt.Fprintf(os.Stderr, "%s:%d: %s\n", no.File, no.Line, why)
	}
	if r.told == maxTold && r.file == nil {
		fmt.Fprintln(os.Stderr, "further lines are counted only; --rejected=FILE keeps all of them")
	}
	if r.file == nil {
		return nil
	}
	var reject *streamflow.RejectError
	reason := ""
	if errors.As(no.Err, &reject) {
		reason, why = string(reject.Reason), strings.TrimPrefix(why, string(reject.Reason)+": ")
	}
	text, err := json.Marshal(struct {
		File   string `json:"file"`
		Line   int64  `json:"line"`
		Reason string `json:"reason"`
		Detail string `json:"detail"`
		Text   string `json:"text,omitempty"`
	}{no.File, no.Line, reason, why, string(r.check.shown(no.Text))})
	if err == nil {
		_, err = r.file.Write(append(text, '\n'))
	}
	return err
}

const (
	drawEvery = 200 * time.Millisecond
	tellEvery = 30 * time.Second
)

// progress shows how far it has come: in place on a terminal, else a line every
// tenth of a file or half a minute.
func (r *ingestReport) progress(p ingest.Progress) {
	if r.quiet || p.Sent+p.Rejected == 0 {
		return
	}
	percent, tenth := int64(-1), int64(0)
	if p.Size > 0 {
		percent = 100 * p.Read / p.Size
		tenth = percent / 10
	}
	since := time.Since(r.shown)
	if r.terminal && since >= drawEvery {
		bar := ""
		if percent >= 0 {
			bar = fmt.Sprintf(" [%s%s] %d %%", strings.Repeat("#", int(percent/4)), strings.Repeat(".", 25-int(percent/4)), percent)
		}
		r.clear()
		fmt.Fprintf(os.Stderr, "ingest%s %s", bar, r.text(p))
		r.shown, r.drawn = time.Now(), true
	}
	if !r.terminal && (tenth > r.tenth && since >= time.Second || since >= tellEvery && !r.shown.IsZero()) {
		fmt.Fprintf(os.Stderr, "ingest: %d %%, %s\n", percent, r.text(p))
		r.shown = time.Now()
	}
	r.tenth = tenth
	if r.shown.IsZero() {
		r.shown = r.began
	}
}

func (r *ingestReport) text(p ingest.Progress) string {
	return fmt.Sprintf("%d sent (%.0f/s), %d rejected", p.Sent, float64(p.Sent)/max(time.Since(r.began).Seconds(), 0.001), p.Rejected)
}

// clear wipes the line of progress.
func (r *ingestReport) clear() {
	if r.drawn {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		r.drawn = false
	}
}

// close ends with the totals.
func (r *ingestReport) close(p ingest.Progress) error {
	r.clear()
	if !r.quiet || p.Rejected > 0 {
		fmt.Fprintf(os.Stderr, "ingest: %s\n", r.text(p))
	}
	if r.file == nil {
		return nil
	}
	return errors.Join(r.file.Sync(), r.file.Close())
}
