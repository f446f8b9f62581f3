package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"
)

// take checks a record and puts it into the batch.
func (a *agent) take(ctx context.Context, text []byte, line int64) error {
	if a.CSV != nil {
		if isHeader, err := a.header(text); isHeader || err != nil {
			return err
		}
		object, err := a.columns.object(text)
		if err != nil {
			return a.reject(line, text, err)
		}
		text = object
	}
	record, err := a.Check(bytes.Clone(text), time.Now())
	if err != nil {
		return a.reject(line, text, err)
	}
	a.batch, a.bytes = append(a.batch, record), a.bytes+len(record.Key)+len(record.Value)
	if len(a.batch) >= a.Batch || a.bytes >= batchBytes {
		return a.flush(ctx)
	}
	return nil
}

// header takes the first record of a file of CSV. Later it comes from the
// position, where it was kept.
func (a *agent) header(text []byte) (is bool, err error) {
	if a.columns != nil {
		return false, nil
	}
	is = a.src.header == ""
	if is {
		a.src.header = strings.Clone(string(text))
	}
	a.columns, err = a.CSV.read(a.src.header)
	return is, err
}

func (a *agent) reject(line int64, text []byte, err error) error {
	a.progress.Rejected++
	return a.Rejected(Rejection{File: a.src.name, Line: line, Text: text, Err: err})
}

// flush sends the batch and moves the position, or moves it only.
func (a *agent) flush(ctx context.Context) error {
	if a.src.skips {
		return nil // the batch is empty, and the position is within a record
	}
	to := a.src.position()
	if a.src.stream != nil {
		to = Position{}
	}
	if len(a.batch) > 0 {
		if err := a.commit(ctx, to); err != nil {
			return err
		}
		a.progress.Sent += int64(len(a.batch))
		clear(a.batch)
		a.batch, a.bytes = a.batch[:0], 0
	} else if to.Offset > 0 && (to.Offset != a.st.Sent.Offset || to.Before != a.st.Sent.Before) {
		a.st.move(to)
	}
	a.progress.File, a.progress.Read, a.progress.Size = a.src.name, a.src.offset(), 0
	if a.src.file != nil {
		if info := stat(a.src.file); info != nil {
			a.progress.Size = info.Size()
		}
	}
	a.Progress(a.progress)
	return a.pace(ctx)
}

// pace waits until the rate allows for more.
func (a *agent) pace(ctx context.Context) error {
	if a.Rate <= 0 {
		return nil
	}
	due := time.Duration(float64(a.progress.Sent) / float64(a.Rate) * float64(time.Second))
	if ahead := due - time.Since(a.began); ahead > 0 {
		return wait(ctx, ahead)
	}
	// After a pause the rate is kept from now on, not made up for.
	if time.Since(a.began)-due > time.Second {
		a.began = time.Now().Add(-due)
	}
	return nil
}

// commit sends the batch in a transaction, and tries until it is done.
func (a *agent) commit(ctx context.Context, to Position) error {
	if err := a.look(ctx); err != nil {
		return err
	}
	if err := a.st.begin(to); err != nil {
		return err
	}
	// What is on its way is best brought to its end: a transaction that is left
	// open holds up everybody who reads the topic until Kafka ends it.
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(commitAtMost, cancel) })()
	for {
		err := a.sink.Commit(patient, a.batch, a.st.mark())
		if err == nil {
			a.st.decided(true)
			return nil
		}
		if errors.Is(err, ErrRefused) || patient.Err() != nil {
			return err
		}
		a.Logger.Warn("a transaction failed; looking whether it was committed, and trying again", "error", err)
		committed, err := a.open(patient)
		if err != nil {
			return err
		}
		if committed {
			a.st.decided(true)
			return nil
		}
	}
}

// look asks now and then where the target ends, so that there is little to read
// through for who must look whether a transaction was committed.
func (a *agent) look(ctx context.Context) error {
	const often = 10 * time.Second
	if time.Since(a.endsAt) < often {
		return nil
	}
	ends, err := a.sink.Ends(ctx)
	if err != nil {
		if a.st.Ends == nil || ctx.Err() != nil || errors.Is(err, ErrRefused) {
			return err
		}
		return nil // the older ones will do
	}
	a.st.Ends, a.endsAt = ends, time.Now()
	return nil
}

// settleDoubt finds out what became of the last transaction of an earlier
// process.
func (a *agent) settleDoubt(ctx context.Context) error {
	was := a.st.Pending != nil
	committed, err := a.open(ctx)
	if err != nil || !was {
		return err
	}
	a.Logger.Info("the process before ended within a transaction", "committed", committed, "line", a.st.Pending.Line)
	a.st.decided(committed)
	return a.st.save()
}

// open opens the sink, for as long as it takes.
func (a *agent) open(ctx context.Context) (committed bool, err error) {
	var doubt *Doubt
	if a.st.Pending != nil {
		doubt = &Doubt{Mark: a.st.mark(), From: a.st.Ends}
	}
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		committed, err := a.sink.Open(ctx, doubt)
		switch {
		case err == nil:
			return committed, nil
		case errors.Is(err, ErrDoubt) && a.Doubt != "":
			return a.Doubt == "skip", nil
		case errors.Is(err, ErrDoubt), errors.Is(err, ErrRefused), ctx.Err() != nil:
			return false, err
		}
		a.Logger.Warn("the target is away; trying again", "error", err, "in", pause)
		if err := wait(ctx, pause); err != nil {
			return false, err
		}
	}
}

// streamSource reads a stream ahead, so that nobody waits for it who has
// something to send.
func streamSource(in io.Reader) *source {
	chunks := make(chan []byte, 4)
	s := &source{stream: chunks, name: "-"}
	go func() {
		defer close(chunks)
		for {
			b := make([]byte, chunkBytes)
			n, err := in.Read(b)
			if n > 0 {
				chunks <- b[:n]
			}
			if err != nil {
				if err != io.EOF {
					s.failed = err
				}
				return
			}
		}
	}()
	return s
}
