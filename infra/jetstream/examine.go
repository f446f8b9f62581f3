package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// ServerState is the server and its JetStream as they were examined.
type ServerState struct {
	Version, Name, Cluster string        // Cluster is "" for a server alone
	RoundTrip              time.Duration // of one request
	// Ahead is by how much the server's clock is ahead of ours, below 0 behind,
	// to within half a round trip. It is known only where a stream is there.
	Ahead      time.Duration
	ClockKnown bool
	// Used and Limit are the bytes that the account stores and may store; the
	// limit is -1 where the account has none.
	Used, Limit int64
}

// StreamState is a stream held against what it should be.
type StreamState struct {
	Name        string
	Missing     bool
	Fault       error    // what cannot be changed safely
	Differences []string // what [Client.Ensure] would change, in words
	Replicas    int
	Leader      string // "" on a server alone, and in a cluster without one
	Clustered   bool
	Behind      []string // replicas that are offline or do not follow
	Bytes       uint64
	MaxBytes    int64 // -1: no limit
}

// BucketState says whether a bucket of the address book is there.
type BucketState struct {
	Name    string
	Missing bool
}

// ExamineServer asks the server what it is.
func (c *Client) ExamineServer(ctx context.Context) (s ServerState, err error) {
	s.Version, s.Name, s.Cluster = c.nc.ConnectedServerVersion(), c.nc.ConnectedServerName(), c.nc.ConnectedClusterName()
	account, err := c.js.AccountInfo(ctx)
	if err != nil {
		return s, fmt.Errorf("JetStream of the account: %w", err)
	}
	s.Used, s.Limit = int64(account.Store), account.Limits.MaxStore
	if s.RoundTrip, err = c.nc.RTT(); err != nil {
		return s, err
	}
	for _, name := range looked {
		before := time.Now()
		stream, err := c.js.Stream(ctx, name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		}
		if err != nil {
			return s, fmt.Errorf("stream %s: %w", name, err)
		}
		if at := stream.CachedInfo().TimeStamp; !at.IsZero() {
			taken := time.Since(before)
			s.Ahead, s.ClockKnown = at.Sub(before.Add(taken/2)), true
		}
		break
	}
	return s, nil
}

// Examine holds the streams and buckets of the address book against what they
// should be, and changes nothing.
func (c *Client) Examine(ctx context.Context, l Limits) (streams []StreamState, kept []BucketState, err error) {
	for _, want := range Streams(l) {
		state, err := c.examine(ctx, want)
		if err != nil {
			return nil, nil, fmt.Errorf("stream %s: %w", want.Name, err)
		}
		streams = append(streams, state)
	}
	for _, want := range buckets(l) {
		_, err := c.js.KeyValue(ctx, want.Bucket)
		if err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) {
			return nil, nil, fmt.Errorf("bucket %s: %w", want.Bucket, err)
		}
		kept = append(kept, BucketState{want.Bucket, err != nil})
	}
	return streams, kept, nil
}

func (c *Client) examine(ctx context.Context, want jetstream.StreamConfig) (StreamState, error) {
	state := StreamState{Name: want.Name}
	s, err := c.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		state.Missing = true
		return state, nil
	}
	if err != nil {
		return state, err
	}
	info := s.CachedInfo()
	state.Fault, state.Differences = compatible(info.Config, want), differences(info.Config, want)
	state.Replicas, state.Bytes, state.MaxBytes = info.Config.Replicas, info.State.Bytes, info.Config.MaxBytes
	if info.Cluster == nil {
		return state, nil
	}
	state.Clustered, state.Leader = info.Cluster.Name != "", info.Cluster.Leader
	for _, peer := range info.Cluster.Replicas {
		switch {
		case peer.Offline:
			state.Behind = append(state.Behind, peer.Name+" is offline")
		case !peer.Current && peer.Lag == 0: // it has all that it was sent, as far as anybody knows
			state.Behind = append(state.Behind, fmt.Sprintf("%s was not heard of for %s", peer.Name, peer.Active.Round(100*time.Millisecond)))
		case !peer.Current:
			state.Behind = append(state.Behind, fmt.Sprintf("%s is %d operations behind", peer.Name, peer.Lag))
		}
	}
	return state, nil
}

// Letters returns how many dead letters there are, and when the newest was
// stored; the zero time if there is none.
func (c *Client) Letters(ctx context.Context) (count uint64, newest time.Time, err error) {
	s, err := c.js.Stream(ctx, streamflow.StreamDeadLetters)
	if err != nil {
		return 0, newest, fmt.Errorf("stream %s: %w", streamflow.StreamDeadLetters, err)
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(streamflow.SubjectAllLetters))
	if err != nil {
		return 0, newest, fmt.Errorf("stream %s: %w", streamflow.StreamDeadLetters, err)
	}
	for subject, n := range info.State.Subjects {
		if !strings.HasPrefix(subject, "cursor.") {
			count += n
		}
	}
	last, err := s.GetLastMsgForSubject(ctx, streamflow.SubjectAllLetters)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return count, newest, nil
	}
	if err != nil {
		return count, newest, fmt.Errorf("stream %s: the newest letter: %w", streamflow.StreamDeadLetters, err)
	}
	return count, last.Time, nil
}
