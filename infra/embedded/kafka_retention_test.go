package embedded

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestKafkaRetention(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := startKafka(t, "127.0.0.1:0", dir)
	day, hour, small := "86400000", "3600000", "200"
	createTopic(t, k.Addr(), "day", map[string]*string{"retention.ms": &day})
	createTopic(t, k.Addr(), "hour", map[string]*string{"retention.ms": &hour})
	createTopic(t, k.Addr(), "default", nil)
	createTopic(t, k.Addr(), "small", map[string]*string{"retention.bytes": &small})
	c := kafkaClient(t, k.Addr(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for _, topic := range []string{"day", "hour", "default", "small"} {
		for i := range 10 { // two hours old, then two days old on top
			for p, age := range []time.Duration{2 * time.Hour, 48 * time.Hour, 0} {
				r := record(topic, int32(p), i)
				r.Timestamp = time.Now().Add(-age)
				must(t, c.ProduceSync(contextOf(t), r).FirstErr())
			}
		}
	}
	must(t, k.retain(contextOf(t)))
	check := func(addr string) {
		t.Helper()
		adm := kadm.NewClient(kafkaClient(t, addr))
		for topic, want := range map[string][3]int64{"day": {0, 9, 0}, "hour": {9, 9, 0}, "default": {0, 9, 0}} {
			starts, err := adm.ListStartOffsets(contextOf(t), topic)
			must(t, err)
			for p, offset := range want {
				if got := starts[topic][int32(p)].Offset; got != offset {
					t.Errorf("%s/%d starts at %d, want %d", topic, p, got, offset)
				}
			}
		}
		for _, topic := range []string{"day", "hour", "default", "small"} {
			ends, err := adm.ListEndOffsets(contextOf(t), topic)
			must(t, err)
			for p, o := range ends[topic] {
				if o.Offset != 10 {
					t.Errorf("%s/%d ends at %d, want 10", topic, p, o.Offset)
				}
			}
		}
		starts, err := adm.ListStartOffsets(contextOf(t), "small")
		must(t, err)
		if s := starts["small"][2].Offset; s < 1 || s > 9 {
			t.Errorf("small/2 starts at %d, want a cut by size", s)
		}
	}
	check(k.Addr())
	// Offsets go on where they were, although all that a partition had is past
	// its retention: after a stop and after a kill.
	must(t, k.Close())
	ch := startChild(t, "kafka", dir)
	check(ch.where)
	ch.kill()
	ch = startChild(t, "kafka", dir)
	check(ch.where)
}
