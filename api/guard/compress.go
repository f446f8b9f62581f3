package guard

import (
	"compress/gzip"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"streamflow/api/accept"
)

// smallest is what compression is worth its while for: less fits a packet.
const smallest = 1400

// compressible are the media types that shrink and that no handler compresses.
var compressible = []string{
	"application/json", "application/problem+json", "application/openapi+json", "application/openapi+yaml",
	"application/asyncapi+json", "application/x-ndjson", "text/csv", "text/html", "text/plain",
}

// encoder compresses one answer.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// The encoders are lent: a new one costs more memory than most answers have.
// Speed is worth more than the last per cent of size, for answers are made anew
// for every request.
var encoders = []struct {
	name string
	pool *sync.Pool
}{
	{"zstd", &sync.Pool{New: func() any {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options above are wrong
		}
		return e
	}}},
	{"gzip", &sync.Pool{New: func() any {
		e, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		if err != nil {
			panic(err)
		}
		return e
	}}},
}

// encodings are their names.
var encodings = func() (names []string) {
	for _, e := range encoders {
		names = append(names, e.name)
	}
	return names
}()

// compress returns a handler whose answers are compressed where the client
// takes that and it is worth it.
func compress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead || r.Header.Get("Upgrade") != "" {
			next.ServeHTTP(w, r)
			return
		}
		c := &compressor{ResponseWriter: w, choice: accept.Best(r.Header.Values("Accept-Encoding"), encodings...)}
		next.ServeHTTP(c, r)
		c.finish() // not after a panic: an answer that was cut short must look it
	})
}

// compressor holds an answer back until it is large enough to be compressed.
type compressor struct {
	http.ResponseWriter
	choice  int
	status  int
	held    []byte
	decided bool
	enc     encoder
}

// WriteHeader implements [http.ResponseWriter].
func (c *compressor) WriteHeader(status int) {
	if status < http.StatusOK { // an interim one, or 101
		c.ResponseWriter.WriteHeader(status)
		return
	}
	if c.status == 0 {
		c.status = status
		if status == http.StatusNoContent || status == http.StatusNotModified {
			c.pass()
		}
	}
}

// Write implements [http.ResponseWriter].
func (c *compressor) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	if !c.decided {
		if len(c.held)+len(b) < smallest && c.may() {
			c.held = append(c.held, b...)
			return len(b), nil
		}
		if err := c.decide(); err != nil {
			return 0, err
		}
	}
	if c.enc != nil {
		return c.enc.Write(b)
	}
	return c.ResponseWriter.Write(b)
}

// may reports whether the answer is one to compress. A strong entity tag names
// exact bytes, by which a client may later say what it has seen: those go as they
// are. A weak one names what they mean.
func (c *compressor) may() bool {
	h := c.Header()
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || !slices.Contains(compressible, media) || h.Get("Content-Encoding") != "" || strongTag(h.Get("ETag")) || c.status == http.StatusPartialContent {
		return false
	}
	return true
}

func strongTag(tag string) bool { return tag != "" && !strings.HasPrefix(tag, "W/") }

// decide begins the answer, compressed if it may be.
func (c *compressor) decide() error {
	if !c.may() {
		return c.pass()
	}
	h := c.Header()
	h.Add("Vary", "Accept-Encoding")
	if c.choice < 0 {
		return c.pass()
	}
	h.Set("Content-Encoding", encoders[c.choice].name)
	h.Del("Content-Length")
	h.Del("Accept-Ranges") // of the bytes before
	c.decided = true
	c.ResponseWriter.WriteHeader(c.status)
	c.enc = encoders[c.choice].pool.Get().(encoder)
	c.enc.Reset(c.ResponseWriter)
	_, err := c.enc.Write(c.held)
	c.held = nil
	return err
}

// pass begins the answer as it is.
func (c *compressor) pass() error {
	if c.decided {
		return nil
	}
	c.decided = true
	if c.status != 0 {
		c.ResponseWriter.WriteHeader(c.status)
	}
	if len(c.held) == 0 {
		return nil
	}
	_, err := c.ResponseWriter.Write(c.held)
	c.held = nil
	return err
}

// finish ends an answer that came to its end.
func (c *compressor) finish() {
	if !c.decided {
		_ = c.pass() // too small
	}
	if c.enc == nil {
		return
	}
	if c.enc.Close() == nil {
		c.enc.Reset(nil)
		encoders[c.choice].pool.Put(c.enc)
	}
}

// FlushError lets a handler that streams send what there is.
func (c *compressor) FlushError() error {
	if !c.decided {
		if c.status == 0 {
			c.status = http.StatusOK
		}
		if err := c.decide(); err != nil {
			return err
		}
	}
	if c.enc != nil {
		if err := c.enc.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(c.ResponseWriter).Flush()
}

// Unwrap lets [http.ResponseController] find the real writer.
func (c *compressor) Unwrap() http.ResponseWriter { return c.ResponseWriter }
