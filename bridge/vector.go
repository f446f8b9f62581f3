package bridge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
)

// maxVector is how many partitions a vector names at most. Those of a function's
// results are named by the moment at which a shard began, so there are more with
// every change of shards and every replay. Only the newest ones are written to:
// the others were closed before these began, and what is left out here was
// read to its end many generations ago.
const maxVector = 1024

// appendVector writes how far partitions have come, the ones that began last
// before the others: "candles.c8x1/0/17 candles.c8x1/1/4".
func appendVector(b []byte, vector map[streamflow.Partition]int64) []byte {
	all := make([]streamflow.Position, 0, len(vector))
	for p, offset := range vector {
		if offset >= 0 { // nothing is done of the others
			all = append(all, streamflow.Position{Topic: p.Topic, Partition: p.Number, Offset: offset})
		}
	}
	slices.SortFunc(all, func(x, y streamflow.Position) int {
		a, b := began(x.Topic), began(y.Topic)
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(b, a), strings.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
	})
	for i, p := range all[:min(len(all), maxVector)] {
		if i > 0 {
			b = append(b, ' ')
		}
		b = p.AppendTo(b)
	}
	return b
}

// began returns what tells when the partition of a function's results began: a
// number to the base of 36, which is greater if it is longer.
func began(topic string) string { return topic[strings.LastIndexByte(topic, '.')+1:] }

// parseVector reads what appendVector writes; ok is false if any of it is not
// to be read.
func parseVector(s string) (vector []streamflow.Position, ok bool) {
	for part := range strings.SplitSeq(s, " ") {
		p, err := streamflow.ParsePosition(part)
		if err != nil {
			return nil, false
		}
		vector = append(vector, p)
	}
	return vector, true
}

// vectorOf returns the vector of a record. It is the last header, or none of
// ours: a dead letter has the headers of the record that was refused before our
// own ones, and among them may be anything.
func vectorOf(r *kgo.Record) ([]streamflow.Position, bool) {
	if len(r.Headers) == 0 {
		return nil, false
	}
	last := r.Headers[len(r.Headers)-1]
	if last.Key != streamflow.HeaderPositions {
		return nil, false
	}
	return parseVector(string(last.Value))
}
