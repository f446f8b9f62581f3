package bridge

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"

	"streamflow"
)

// LostTopicError says that a cursor is beyond the end of its partition: the
// topic has been made anew, or Kafka has lost its tail. To read on would mix
// two histories, so the bridge stops.
type LostTopicError struct {
	Partition streamflow.Partition
	Next, End int64
}

func (e *LostTopicError) Error() string {
	return fmt.Sprintf("%s/%d ends at offset %d, but JetStream has mirrored it up to %d: the topic was made anew or has lost its tail; "+
		"if Kafka is right, run `streamflow rebuild` to make JetStream anew from it", e.Partition.Topic, e.Partition.Number, e.End, e.Next)
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
			s.Metrics.missed.Add(float64(start.Offset - next))
			s.Logger.Error("Kafka's retention has taken records that were never mirrored: keep the topic for longer, or the bridge running",
				"partition", p.Number, "from", next, "to", start.Offset)
		}
		return start.Offset, nil
	}
	return next, nil
}
