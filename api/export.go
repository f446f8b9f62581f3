package api

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

const (
	// writeTimeout is how long a client may take for one write: one that reads
	// nothing for so long is gone.
	writeTimeout = 30 * time.Second
	// writeBytes is how much is gathered before it is sent.
	writeBytes = 32 << 10
)

// gate bounds how many do something at one time.
type gate chan struct{}

// enter takes a place, or says that there is none.
func (g gate) enter(what string) error {
	select {
	case g <- struct{}{}:
		return nil
	default:
		return unavailable("%d %s run already, which is the limit: try again in a moment", cap(g), what)
	}
}

func (g gate) leave() { <-g }

// download is an answer that streams rows.
type download[T any] struct {
	server *Server
	file   string
	format format
	names  string
	render func([]byte, *T) ([]byte, error)
	next   func() (T, error, bool)
	stop   func()
	row    T    // the first, read before anything was answered
	more   bool // there is one
}

// export answers with rows. The first is read at once, so that a fault that is
// there from the beginning is still answered as what it is.
func export[T any](s *Server, symbol, what string, f format, rows iter.Seq2[T, error], render func([]byte, *T) ([]byte, error), names string, places gate) (*huma.StreamResponse, error) {
	if err := places.enter("exports"); err != nil {
		return nil, err
	}
	d := &download[T]{server: s, file: fileName(symbol, what, f.name), format: f, names: names, render: render}
	next, stop := iter.Pull2(rows)
	d.next, d.stop = next, func() { stop(); places.leave() }
	var err error
	if d.row, err, d.more = next(); err == nil && !d.more {
		err = s.mustKnow(symbol)
	}
	if err != nil {
		d.stop()
		return nil, err
	}
	return &huma.StreamResponse{Body: d.send}, nil
}

// send writes all rows. It holds a buffer of them; a client that goes away ends
// the query.
func (d *download[T]) send(ctx huma.Context) {
	defer d.stop()
	ctx.SetHeader("Content-Type", d.format.media+"; charset=utf-8")
	ctx.SetHeader("Content-Disposition", `attachment; filename="`+d.file+`"`)
	ctx.SetStatus(http.StatusOK)
	if ctx.Method() == http.MethodHead {
		return
	}
	err := d.rows(ctx)
	if err == nil {
		return
	}
	d.server.log.Debug("an export was cut off", "file", d.file, "error", err)
	// Without its last chunk the answer is seen to be incomplete.
	panic(http.ErrAbortHandler)
}

func (d *download[T]) rows(ctx huma.Context) error {
	w := ctx.BodyWriter()
	flush := func(b []byte) error { return writeOut(w, b) }
	b := make([]byte, 0, 2*writeBytes)
	if d.format.header {
		b = append(b, d.names+"\r\n"...)
	}
	for err := error(nil); d.more; d.row, err, d.more = d.next() {
		if err != nil {
			return err
		}
		if b, err = d.render(b, &d.row); err != nil {
			return err
		}
		if len(b) >= writeBytes {
			if err := flush(b); err != nil {
				return fmt.Errorf("the client has gone: %w", err)
			}
			b = b[:0]
		}
	}
	return flush(b)
}

// writeOut sends b now, and gives the client [writeTimeout] to take it.
func writeOut(w io.Writer, b []byte) error {
	rw, ok := w.(http.ResponseWriter)
	if !ok {
		_, err := w.Write(b)
		return err
	}
	control := http.NewResponseController(rw)
	_ = control.SetWriteDeadline(time.Now().Add(writeTimeout)) // what cannot has none
	if _, err := rw.Write(b); err != nil {
		return err
	}
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// fileName names the file of an export with nothing that a header or a file
// system would take for something else.
func fileName(symbol, what, extension string) string {
	name := []byte(symbol)
	for i, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			name[i] = '_'
		}
	}
	return string(name) + "-" + what + "." + extension
}
