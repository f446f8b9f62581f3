package embedded

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// refuseWhenFull answers records that would eat into the reserve with the error
// of a broker whose disk fails: clients send them again until they are taken.
//
// kfake must not come to a write that fails. It counts a producer's sequence
// before it writes, so that the same batch, sent again, counts as stored.
func refuseWhenFull(cluster *kfake.Cluster, space *Space) {
	cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		req, ok := request.(*kmsg.ProduceRequest)
		if !ok {
			return nil, nil, false
		}
		var bytes int64
		for _, t := range req.Topics {
			for _, p := range t.Partitions {
				bytes += int64(len(p.Records))
			}
		}
		full := space.Err(bytes)
		if full == nil {
			return nil, nil, false
		}
		if req.Acks == 0 {
			return nil, full, true // there is no answer: the connection is closed
		}
		return refused(req, full.Error()), nil, true
	})
}

// refused answers every partition of a request with an error that passes.
func refused(req *kmsg.ProduceRequest, why string) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode, partition.BaseOffset = p.Partition, kerr.KafkaStorageError.Code, -1
			if req.Version >= 8 {
				partition.ErrorMessage = &why
			}
			topic.Partitions = append(topic.Partitions, partition)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// markRoom is how much must be free for the mark of a transaction: far more than
// it takes, and far less than the reserve, which is there for such things.
const markRoom = 1 << 20

// refuseMarksWhenFull answers the end of a transaction, when not even its mark
// can be stored, as a coordinator does that is not ready: clients ask again.
// kfake would call it ended, and know nothing of it after a restart.
func refuseMarksWhenFull(cluster *kfake.Cluster, dir string) {
	cluster.ControlKey(int16(kmsg.EndTxn), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		req, ok := request.(*kmsg.EndTxnRequest)
		if free, err := freeSpace(dir); !ok || err != nil || free >= markRoom {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.CoordinatorLoadInProgress.Code
		return resp, nil, true
	})
}
