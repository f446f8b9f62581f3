package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// StreamCopy is what a snapshot of a stream is restored by, beside its bytes.
type StreamCopy struct {
	Name   string          `json:"name"`
	Config json.RawMessage `json:"config"` // as the server gave it
	State  json.RawMessage `json:"state"`
	First  uint64          `json:"first"`
	Last   uint64          `json:"last"`
	Msgs   uint64          `json:"msgs"` // as the snapshot began: some may have been removed before they were read
}

const (
	apiSnapshot = "$JS.API.STREAM.SNAPSHOT."
	apiRestore  = "$JS.API.STREAM.RESTORE."
	// chunkWait is how long the server may take between two pieces of a snapshot.
	chunkWait = 30 * time.Second
)

// apiAnswer is the part of an answer of the server that all have.
type apiAnswer struct {
	Error *jetstream.APIError `json:"error"`
}

// CopyStream writes the server's snapshot of a stream, without consumers, to w.
//
// By itself it is not fit to be restored while the stream is written. A position
// or a state takes the place of the one before it, and the server reads up to
// where the stream ended at the start:
//
//	stream     | fact 8, checkpoint 8                | fact 9, checkpoint 9: 8 is removed
//	snapshot of|     up to here, read a little later | fact 8 and no checkpoint at all
//
// [Client.Tail] reads what came meanwhile: both together are the stream as it
// was at the end of the tail.
func (c *Client) CopyStream(ctx context.Context, stream string, w io.Writer) (StreamCopy, error) {
	out, err := c.snapshot(ctx, stream, w)
	if err != nil {
		return out, fmt.Errorf("snapshot of stream %s: %w", stream, err)
	}
	return out, nil
}

func (c *Client) snapshot(ctx context.Context, stream string, w io.Writer) (out StreamCopy, err error) {
	inbox := c.nc.NewRespInbox()
	sub, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return out, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	// A window of 8 MiB is on its way at most.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return out, err
	}
	request, err := json.Marshal(map[string]any{"deliver_subject": inbox, "no_consumers": true})
	if err != nil {
		return out, err
	}
	answer, err := c.answer(ctx, &nats.Msg{Subject: apiSnapshot + stream, Data: request})
	if err != nil {
		return out, err
	}
	var said struct {
		apiAnswer
		Config json.RawMessage `json:"config"`
		State  json.RawMessage `json:"state"`
	}
	var state struct {
		First uint64 `json:"first_seq"`
		Last  uint64 `json:"last_seq"`
		Msgs  uint64 `json:"messages"`
	}
	if err := json.Unmarshal(answer.Data, &said); err != nil {
		return out, err
	}
	if said.Error != nil {
		return out, said.Error
	}
	if err := json.Unmarshal(said.State, &state); err != nil {
		return out, err
	}
	return StreamCopy{stream, said.Config, said.State, state.First, state.Last, state.Msgs}, c.receive(ctx, sub, w)
}

// receive writes the chunks of a snapshot to w.
func (c *Client) receive(ctx context.Context, sub *nats.Subscription, w io.Writer) error {
	for {
		chunk, err := c.nextChunk(ctx, sub)
		if err != nil {
			return err
		}
		if len(chunk.Data) == 0 {
			if status := chunk.Header.Get("Status"); status != "" && status != "204" {
				return fmt.Errorf("the server broke it off: %s %s", status, chunk.Header.Get("Description"))
			}
			return nil
		}
		if _, err := w.Write(chunk.Data); err != nil {
			return err
		}
		if chunk.Reply == "" {
			continue
		}
		if err := c.nc.Publish(chunk.Reply, nil); err != nil {
			return err
		}
	}
}

func (c *Client) nextChunk(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, chunkWait)
	defer cancel()
	chunk, err := sub.NextMsgWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("the server sends nothing more: %w", err)
	}
	return chunk, nil
}

// RestoreStream makes a stream of a snapshot and of the tail that came with it,
// with the same sequences; those of the tail are new. There must be no stream of
// that name.
func (c *Client) RestoreStream(ctx context.Context, s StreamCopy, snapshot, tail io.Reader) error {
	err := c.restoreSnapshot(ctx, s, snapshot)
	if err == nil {
		err = c.restoreTail(ctx, s.Name, tail)
	}
	if err != nil {
		return fmt.Errorf("restore stream %s: %w", s.Name, err)
	}
	return nil
}

// restoreChunk is how many bytes are sent at a time.
const restoreChunk = 128 << 10

func (c *Client) restoreSnapshot(ctx context.Context, s StreamCopy, r io.Reader) error {
	request, err := json.Marshal(map[string]any{"config": s.Config, "state": s.State})
	if err != nil {
		return err
	}
	answer, err := c.answer(ctx, &nats.Msg{Subject: apiRestore + s.Name, Data: request})
	if err != nil {
		return err
	}
	var said struct {
		apiAnswer
		Deliver string `json:"deliver_subject"`
	}
	if err := json.Unmarshal(answer.Data, &said); err != nil {
		return err
	}
	if said.Error != nil {
		return said.Error
	}
	chunk := make([]byte, restoreChunk)
	for {
		n, err := io.ReadFull(r, chunk)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		ended := err != nil
		if n > 0 {
			if err := c.sendChunk(ctx, said.Deliver, chunk[:n]); err != nil {
				return err
			}
		}
		if ended {
			return c.sendChunk(ctx, said.Deliver, nil)
		}
	}
}

// sendChunk hands the server a piece of a snapshot; an empty one is the last.
func (c *Client) sendChunk(ctx context.Context, subject string, chunk []byte) error {
	answer, err := c.answer(ctx, &nats.Msg{Subject: subject, Data: chunk})
	if err != nil {
		return err
	}
	var said apiAnswer
	if len(answer.Data) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer.Data, &said); err != nil {
		return err
	}
	if said.Error != nil {
		return said.Error
	}
	return nil
}

// Kept returns the streams that a backup must hold, of those that are there:
// downstream before upstream, see [streamflow.Flow]. Dead letters come after
// what they were sorted out of, because the bridge stores them first.
func (c *Client) Kept(ctx context.Context) (results, mirrored, buckets []string, err error) {
	names := c.js.StreamNames(ctx)
	have := make(map[string]bool)
	for name := range names.Name() {
		have[name] = true
	}
	if err := names.Err(); err != nil {
		return nil, nil, nil, fmt.Errorf("streams: %w", err)
	}
	for _, s := range Streams(DefaultLimits) {
		if have[s.Name] && !slices.Contains(mirrors, s.Name) {
			results = append(results, s.Name)
		}
	}
	for _, name := range mirrors {
		if have[name] {
			mirrored = append(mirrored, name)
		}
	}
	for _, bucket := range []string{streamflow.BucketRules, streamflow.BucketFunctions, streamflow.BucketKeys, streamflow.BucketLetters} {
		if name := BucketStream(bucket); have[name] {
			buckets = append(buckets, name)
		}
	}
	return results, mirrored, buckets, nil
}

const bucketPrefix = "KV_"

// BucketStream returns the name of the stream that a bucket is kept in.
func BucketStream(bucket string) string { return bucketPrefix + bucket }

// Occupied returns those of our streams and buckets that hold something, with
// how much. The bucket of the workers' own words does not count.
func (c *Client) Occupied(ctx context.Context) (list []string, err error) {
	results, mirrored, buckets, err := c.Kept(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Concat(results, mirrored, buckets) {
		s, err := c.js.Stream(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w", name, err)
		}
		if n := s.CachedInfo().State.Msgs; n > 0 {
			list = append(list, fmt.Sprintf("stream %s has %d messages", name, n))
		}
	}
	return list, nil
}

// DropEmpty deletes our streams and buckets, which must be empty: a stream can
// be restored only where there is none.
func (c *Client) DropEmpty(ctx context.Context) error {
	if full, err := c.Occupied(ctx); err != nil || len(full) > 0 {
		return errors.Join(err, errors.New(strings.Join(full, ", ")))
	}
	results, mirrored, buckets, err := c.Kept(ctx)
	for _, name := range slices.Concat(results, mirrored, buckets) {
		if err == nil {
			err = c.js.DeleteStream(ctx, name)
		}
	}
	return err
}

// Last returns the newest sequence of a stream.
func (c *Client) Last(ctx context.Context, stream string) (uint64, error) {
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return 0, fmt.Errorf("stream %s: %w", stream, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}
