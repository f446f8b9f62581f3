package embedded

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
)

// kfake writes two files for each segment: the batches as they came, and an index
// with an entry for each batch. All that an entry says is in its batch too, so
// that the index need not be on the disk before a record is acknowledged, which
// halves what has to be flushed: if a power cut has left it behind, completeIndexes
// writes it anew before kfake reads it. It takes a batch without an entry for one
// outside of a transaction.
const (
	indexEntryBytes = 15
	indexVersion    = 1
	batchHeadBytes  = 43 // up to the producer's ID
)

// indexEntry is what an entry says, without the time that kfake counts anew.
type indexEntry struct {
	epoch         uint32
	inTransaction bool
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// append adds the entry as kfake writes it: version, checksum, epoch, time, flags.
func (e indexEntry) append(to []byte) []byte {
	entry := make([]byte, indexEntryBytes)
	entry[0] = indexVersion
	binary.LittleEndian.PutUint32(entry[2:], e.epoch)
	if e.inTransaction {
		entry[14] = 1
	}
	entry[1] = byte(crc32.Checksum(entry[2:], castagnoli))
	return append(to, entry...)
}

// is says whether kfake reads entry as e.
func (e indexEntry) is(entry []byte) bool {
	return entry[1] == byte(crc32.Checksum(entry[2:], castagnoli)) &&
		binary.LittleEndian.Uint32(entry[2:]) == e.epoch && entry[14]&1 == 1 == e.inTransaction
}

// completeIndexes completes the index of the newest segment of every partition in
// kfake's data directory; those of the ones before are on the disk.
func completeIndexes(dir string, log *slog.Logger) error {
	partitions, err := list(filepath.Join(dir, "partitions"))
	if err != nil {
		return err
	}
	for _, name := range partitions {
		path := filepath.Join(dir, "partitions", name)
		files, err := list(path)
		if err != nil {
			return err
		}
		newest := int64(-1)
		for _, file := range files {
			if base, ok := segmentBase(file); ok {
				newest = max(newest, base)
			}
		}
		if newest < 0 {
			continue
		}
		segment := filepath.Join(path, fmt.Sprint(newest))
		wrote, err := completeIndex(segment+".dat", segment+".idx")
		if err != nil {
			return fmt.Errorf("index of segment %s: %w", segment, err)
		}
		if wrote {
			log.Info("wrote an index that was behind its segment: the machine has stopped without a warning", "index", segment+".idx")
		}
	}
	return nil
}

// completeIndex writes the index of a segment anew if it lacks a batch, or says
// something else of one.
func completeIndex(segment, index string) (wrote bool, err error) {
	batches, err := indexOf(segment)
	if err != nil {
		return false, err
	}
	known, err := os.ReadFile(index)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	whole := len(known) >= len(batches)*indexEntryBytes // kfake cuts off what is too much
	var want []byte
	for i, e := range batches {
		want = e.append(want)
		whole = whole && e.is(known[i*indexEntryBytes:][:indexEntryBytes])
	}
	if whole {
		return false, nil
	}
	if err := os.WriteFile(index+".new", want, 0o644); err != nil {
		return false, err
	}
	if err := flush(index + ".new"); err != nil {
		return false, err
	}
	return true, os.Rename(index+".new", index)
}

// indexOf reads the heads of a segment's batches, up to the first that is cut off.
func indexOf(segment string) (entries []indexEntry, err error) {
	f, err := os.Open(segment)
	if err != nil {
		return nil, unlessGone(err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	for {
		head, err := in.Peek(batchHeadBytes)
		if err != nil {
			return entries, unlessEnd(err)
		}
		e, size := indexEntry{epoch: binary.BigEndian.Uint32(head[12:])}, 12+int(int32(binary.BigEndian.Uint32(head[8:])))
		attributes := binary.BigEndian.Uint16(head[21:])
		e.inTransaction = attributes&transactional != 0 && attributes&control == 0
		if size < batchHeadBytes {
			return entries, nil // no batch; kfake cuts it off
		}
		if n, err := in.Discard(size); n < size {
			return entries, unlessEnd(err)
		}
		entries = append(entries, e)
	}
}

// unlessEnd is err, unless that says that a file has ended.
func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
