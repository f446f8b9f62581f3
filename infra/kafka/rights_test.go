package kafka_test

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"streamflow"
	"streamflow/infra/kafka"
)

// Who reads a topic by the topology may read it, who writes it may write it,
// and nobody else; and nobody may make, change or delete anything.
func TestRightsFollowTheTopology(t *testing.T) {
	harmless := []kmsg.ACLOperation{kmsg.ACLOperationRead, kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe}
	for _, s := range streamflow.Flow.Stages {
		may := make(map[string][]kmsg.ACLOperation)
		for _, r := range kafka.Rights(s) {
			for _, o := range r.Operations {
				if !slices.Contains(harmless, o) {
					t.Errorf("%s may %v %s", s.Name, o, r.Name)
				}
			}
			switch r.Resource {
			case kmsg.ACLResourceTypeTopic:
				may[r.Name] = append(may[r.Name], r.Operations...)
			case kmsg.ACLResourceTypeCluster:
				t.Errorf("%s has rights on the cluster", s.Name)
			}
		}
		for _, a := range streamflow.Flow.Addresses {
			if a.Kind != streamflow.KindTopic {
				continue
			}
			reads, writes := slices.Contains(s.Reads, a.Place), slices.Contains(s.Writes, a.Place)
			if got := slices.Contains(may[a.Name], kmsg.ACLOperationWrite); got != writes {
				t.Errorf("%s writes %s: %v, may: %v", s.Name, a.Name, writes, got)
			}
			if got := slices.Contains(may[a.Name], kmsg.ACLOperationRead); got != (reads || writes) {
				t.Errorf("%s reads %s: %v, may: %v", s.Name, a.Name, reads, got)
			}
		}
	}
}
