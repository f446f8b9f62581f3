package guard

import (
	"errors"
	"io"
	"net"
	"net/http"
)

// body notes that what was sent cannot be read to its end: chunks that are none,
// or an end that came too early.
type body struct {
	io.ReadCloser
	fault error
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	var tooLarge *http.MaxBytesError
	var slow net.Error
	if err != nil && err != io.EOF && !errors.As(err, &tooLarge) && !(errors.As(err, &slow) && slow.Timeout()) {
		b.fault = err
	}
	return n, err
}

// blame turns the 500 that a handler answers where it cannot read a body into
// the 400 that it is: the fault lies with who sent it.
type blame struct {
	http.ResponseWriter
	body   *body
	answer func(detail string)
	done   bool
}

// WriteHeader implements [http.ResponseWriter].
func (b *blame) WriteHeader(status int) {
	if status != http.StatusInternalServerError || b.body.fault == nil {
		b.ResponseWriter.WriteHeader(status)
		return
	}
	if !b.done {
		b.done = true
		b.Header().Set("Connection", "close") // where the next request begins is anybody's guess
		b.answer("the body cannot be read to its end (" + b.body.fault.Error() + "): send it again, with a length or chunks that are right")
	}
}

// Write implements [http.ResponseWriter].
func (b *blame) Write(p []byte) (int, error) {
	if b.done {
		return len(p), nil
	}
	return b.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] find the real writer.
func (b *blame) Unwrap() http.ResponseWriter { return b.ResponseWriter }
