package kafka

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A record log is records of one partition as a backup keeps them. Each is
//
//	uvarint  offset + 1 - the offset before, from -1 on: never 0
//	varint   timestamp in milliseconds since 1970
//	bytes    key, value: uvarint length + 1 and the bytes; 0 is null
//	uvarint  number of headers, each: key, value as above
//
// and a 0 ends it: without it, the log was cut off.

// maxField bounds a key, a value or a header, in bytes; maxHeaders their number.
const (
	maxField   = 64 << 20
	maxHeaders = 1 << 16
)

// recordWriter writes a record log.
type recordWriter struct {
	w    *bufio.Writer
	buf  []byte
	next int64 // no record before it may come
}

func newRecordWriter(w io.Writer) *recordWriter {
	return &recordWriter{w: bufio.NewWriterSize(w, 1<<16)}
}

func (w *recordWriter) write(r *kgo.Record) error {
	if r.Offset < w.next {
		return fmt.Errorf("offset %d comes after %d", r.Offset, w.next-1)
	}
	b := binary.AppendUvarint(w.buf[:0], uint64(r.Offset-w.next)+1)
	b = binary.AppendVarint(b, r.Timestamp.UnixMilli())
	b = appendField(appendField(b, r.Key), r.Value)
	b = binary.AppendUvarint(b, uint64(len(r.Headers)))
	for _, h := range r.Headers {
		b = appendField(appendField(b, []byte(h.Key)), h.Value)
	}
	w.buf, w.next = b, r.Offset+1
	_, err := w.w.Write(b)
	return err
}

func appendField(b, field []byte) []byte {
	if field == nil {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(field))+1), field...)
}

// close writes the end.
func (w *recordWriter) close() error {
	return errors.Join(w.w.WriteByte(0), w.w.Flush())
}

// errRecordLog says that a record log cannot be read.
var errRecordLog = errors.New("the records cannot be read: they were cut off or changed")

// recordReader reads a record log.
type recordReader struct {
	r    *bufio.Reader
	next int64
}

func newRecordReader(r io.Reader) *recordReader {
	return &recordReader{r: bufio.NewReaderSize(r, 1<<16)}
}

// read returns the next record, or [io.EOF] behind the last one.
func (r *recordReader) read() (*kgo.Record, error) {
	step, err := binary.ReadUvarint(r.r)
	if err == nil && step == 0 {
		return nil, io.EOF
	}
	if err != nil || step > 1<<62 || r.next+int64(step)-1 < r.next {
		return nil, errRecordLog
	}
	rec := &kgo.Record{Offset: r.next + int64(step) - 1}
	r.next = rec.Offset + 1
	milli, err := binary.ReadVarint(r.r)
	if err != nil {
		return nil, errRecordLog
	}
	rec.Timestamp = time.UnixMilli(milli)
	if rec.Key, err = r.field(); err != nil {
		return nil, err
	}
	if rec.Value, err = r.field(); err != nil {
		return nil, err
	}
	n, err := binary.ReadUvarint(r.r)
	if err != nil || n > maxHeaders {
		return nil, errRecordLog
	}
	for range n {
		key, err := r.field()
		if err != nil {
			return nil, err
		}
		value, err := r.field()
		if err != nil {
			return nil, err
		}
		rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: string(key), Value: value})
	}
	return rec, nil
}

func (r *recordReader) field() ([]byte, error) {
	n, err := binary.ReadUvarint(r.r)
	if err != nil || n > maxField {
		return nil, errRecordLog
	}
	if n == 0 {
		return nil, nil
	}
	// What is said to be long is believed as it comes.
	field := bytes.NewBuffer(make([]byte, 0, min(n, 1<<16)))
	if _, err := io.CopyN(field, r.r, int64(n)-1); err != nil {
		return nil, errRecordLog
	}
	return field.Bytes(), nil
}
