package embedded

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// lookBack is how many offsets before the end of a partition a transaction is
// looked for that a kill has left open: it was open when the log ended.
const lookBack = 20_000

// What the attributes of a batch tell.
const transactional, control = 0x10, 0x20

// endBroken writes the mark of an abort behind every transaction that a kill
// has left open. kfake counts them as aborted when it starts and leaves no mark
// in the log, whereupon all goes wrong for the producer's next one:
//
//	log          | what a reader of committed records sees
//	half         | nothing, rightly
//	half a b C   | nothing: without a mark the abort goes on to the end
//	  kill, start| half a b: the commit C now counts for all that is before it
//
// It must be done before clients come in: see gate.
func (k *Kafka) endBroken(ctx context.Context) error {
	if known, err := k.admin.ListTransactions(ctx, nil, nil); err != nil || len(known) == 0 {
		return err // none was ever begun here
	}
	meta, err := k.admin.Metadata(ctx)
	if err != nil {
		return err
	}
	ends, err := k.admin.ListEndOffsets(ctx, meta.Topics.Names()...)
	if err != nil || len(ends) == 0 {
		return err
	}
	active, err := k.admin.DescribeProducers(ctx, meta.Topics.TopicsSet())
	if err != nil {
		return err
	}
	for _, topic := range meta.Topics {
		for number := range topic.Partitions {
			end, ok := ends.Lookup(topic.Topic, number)
			if !ok || end.Err != nil {
				continue
			}
			if err := k.endBrokenIn(ctx, topic, number, end.Offset, active[topic.Topic].Partitions[number]); err != nil {
				return fmt.Errorf("%s/%d: %w", topic.Topic, number, err)
			}
		}
	}
	return nil
}

func (k *Kafka) endBrokenIn(ctx context.Context, topic kadm.TopicDetail, number int32, end int64, active kadm.DescribedProducersPartition) error {
	open, err := k.openTransactions(ctx, topic, number, end)
	if err != nil {
		return err
	}
	for id, epoch := range open {
		if _, goesOn := active.ActiveProducers[id]; goesOn {
			continue // after a clean stop transactions go on
		}
		t := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
		t.Topic, t.Partitions = topic.Topic, []int32{number}
		m := kmsg.NewWriteTxnMarkersRequestMarker()
		m.ProducerID, m.ProducerEpoch, m.Topics = id, epoch, append(m.Topics, t)
		req := kmsg.NewPtrWriteTxnMarkersRequest()
		req.Markers = append(req.Markers, m)
		resp, err := k.client.Broker(0).Request(ctx, req)
		if err != nil {
			return err
		}
		for _, m := range resp.(*kmsg.WriteTxnMarkersResponse).Markers {
			for _, t := range m.Topics {
				for _, p := range t.Partitions {
					if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
						return err
					}
				}
			}
		}
		k.log.Info("aborted a transaction that was cut off", "topic", topic.Topic, "partition", number, "producer", id)
	}
	return nil
}

// openTransactions returns the producers, with their epochs, that have written
// within a transaction since its last mark.
func (k *Kafka) openTransactions(ctx context.Context, topic kadm.TopicDetail, number int32, end int64) (map[int64]int16, error) {
	open := make(map[int64]int16)
	starts, err := k.admin.ListStartOffsets(ctx, topic.Topic)
	if err != nil {
		return nil, err
	}
	start, _ := starts.Lookup(topic.Topic, number)
	for next := max(start.Offset, end-lookBack); next < end; {
		raw, err := k.fetchRaw(ctx, topic, number, next)
		if err != nil {
			return nil, err
		}
		before := next
		for len(raw) > 12 {
			size := 12 + int(binary.BigEndian.Uint32(raw[8:]))
			if size > len(raw) {
				break // the next answer has all of it
			}
			var b kmsg.RecordBatch
			if err := b.ReadFrom(raw[:size]); err != nil {
				return nil, err
			}
			switch {
			case b.Attributes&control != 0:
				delete(open, b.ProducerID)
			case b.Attributes&transactional != 0:
				open[b.ProducerID] = b.ProducerEpoch
			}
			raw, next = raw[size:], b.FirstOffset+int64(b.LastOffsetDelta)+1
		}
		if next == before {
			break // nothing more to see
		}
	}
	return open, nil
}

// fetchRaw returns batches from the one that holds offset on.
func (k *Kafka) fetchRaw(ctx context.Context, topic kadm.TopicDetail, number int32, offset int64) ([]byte, error) {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = number, offset, 4<<20
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID, t.Partitions = topic.Topic, topic.ID, append(t.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.Topics = 100, 1, 4<<20, append(req.Topics, t)
	answer, err := k.client.Broker(0).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, nil
	}
	got := resp.Topics[0].Partitions[0]
	return got.RecordBatches, kerr.ErrorForCode(got.ErrorCode)
}
