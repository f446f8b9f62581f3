package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamflow"
)

// LostTopicError says that a cursor does not belong to its partition: it is
// beyond the end, or counts the offsets of another topic of the same name. The
// topic has been made anew, or Kafka has lost its tail. To read on would mix
// two histories, so the bridge stops.
type LostTopicError struct {
	Partition streamflow.Partition
	Next, End int64
	Was, Is   string // Kafka's ids of the topic where they tell it; then End is 0
}

func (e *LostTopicError) Error() string {
	fault := fmt.Sprintf("ends at offset %d, but JetStream has mirrored it up to %d: the topic was made anew or has lost its tail", e.End, e.Next)
	if e.Was != e.Is {
		fault = fmt.Sprintf("is of another topic than the one that JetStream has mirrored up to offset %d: the topic was made anew (its id was %s and is %s)", e.Next, e.Was, e.Is)
	}
	return fmt.Sprintf("%s/%d %s; see \"A topic made anew\" in docs/operations.md: `streamflow rebuild` is not enough, because the database and the functions count its offsets too", e.Partition.Topic, e.Partition.Number, fault)
}

// place finds where the worker reads on, and makes sure that the topic is still
// the one whose offsets its cursors count. Offsets alone do not tell: a topic
// that was made anew may be longer than the old one by now.
func (w *worker) place(ctx context.Context) error {
	meta, err := kadm.NewClient(w.s.client).Metadata(ctx, w.p.Topic)
	if err != nil {
		return fmt.Errorf("id of topic %s: %w", w.p.Topic, err)
	}
	detail := meta.Topics[w.p.Topic]
	if detail.Err != nil {
		return fmt.Errorf("id of topic %s: %w", w.p.Topic, detail.Err)
	}
	w.topicID = idOf(detail)
	for _, cur := range []streamflow.Cursor{w.good, w.letters} {
		if cur.Next > 0 && cur.TopicID != "" && w.topicID != "" && cur.TopicID != w.topicID {
			return &LostTopicError{Partition: w.p, Next: cur.Next, Was: cur.TopicID, Is: w.topicID}
		}
	}
	next, err := w.s.inRange(ctx, w.p, w.good.Next)
	// One of several brokers may be cut off from the others and not know it: it
	// answers as the leader, with the end of before.
	var lost *LostTopicError
	for began := time.Now(); errors.As(err, &lost) && len(meta.Brokers) > 1 && time.Since(began) < cutOffAtMost && sleep(ctx, 10*retryFirst); {
		next, err = w.s.inRange(ctx, w.p, w.good.Next)
	}
	if err != nil {
		return err
	}
	w.good.Next = next
	w.sign(ctx)
	return nil
}

// cutOffAtMost is how long brokers may disagree about the end of a partition.
const cutOffAtMost = 15 * time.Second

// idOf returns Kafka's id of a topic; "" if it is a Kafka before 2.8, which has none.
func idOf(d kadm.TopicDetail) string {
	if d.ID == (kadm.TopicID{}) {
		return ""
	}
	return d.ID.String()
}

// sign puts the topic's id into the cursors. That of the good ones is written at
// once if it is new, because the cursor stays where it is while few messages
// come, and the topic may be made anew meanwhile. If that fails, it goes with
// the next one: the id guards against a rare mistake, and holds nothing up.
func (w *worker) sign(ctx context.Context) {
	known := w.good.TopicID == w.topicID
	w.good.TopicID, w.letters.TopicID = w.topicID, w.topicID
	if known {
		return
	}
	fence, err := w.target.Commit(ctx, w.p, nil, w.good)
	if err != nil {
		w.log.Warn("the id of the topic cannot be put into the cursor yet", "error", err)
		return
	}
	w.good.Fence = fence
}

// inRange returns the offset at which to read on: next, or the start of the
// log if retention has already taken what stood at next.
func (s *session) inRange(ctx context.Context, p streamflow.Partition, next int64) (int64, error) {
	admin := kadm.NewClient(s.client)
	starts, err := admin.ListStartOffsets(ctx, p.Topic)
	if err != nil {
		return 0, fmt.Errorf("start of %s/%d: %w", p.Topic, p.Number, err)
	}
	ends, err := admin.ListEndOffsets(ctx, p.Topic)
	if err != nil {
		return 0, fmt.Errorf("end of %s/%d: %w", p.Topic, p.Number, err)
	}
	start, ok := starts.Lookup(p.Topic, p.Number)
	end, ok2 := ends.Lookup(p.Topic, p.Number)
	if !ok || !ok2 || start.Err != nil || end.Err != nil {
		return 0, fmt.Errorf("offsets of %s/%d: not known (%v, %v)", p.Topic, p.Number, start.Err, end.Err)
	}
	if next > end.Offset {
		return 0, &LostTopicError{Partition: p, Next: next, End: end.Offset}
	}
	if next < start.Offset {
		if next > 0 {
			s.Metrics.missed.WithLabelValues(p.Topic).Add(float64(start.Offset - next))
			s.Logger.Error("Kafka's retention has taken records that were never mirrored: keep the topic for longer, or the bridge running",
				"topic", p.Topic, "partition", p.Number, "from", next, "to", start.Offset)
		}
		return start.Offset, nil
	}
	return next, nil
}
