package kafka

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"streamflow"
)

// Right lets a user do something with what Kafka guards by access control lists.
type Right struct {
	Resource   kmsg.ACLResourceType
	Name       string // of topic, group or transaction
	Prefix     bool   // Name is only how it begins
	Operations []kmsg.ACLOperation
}

// StageIngest is the name of who sends files, which the topology does not show:
// it stands in the place of any producer.
const StageIngest = "ingest"

// Rights returns what a stage of the topology needs: to read what it reads and
// to write what it writes by [streamflow.Flow]. Nobody may make, change or
// delete a topic, nor delete records.
func Rights(s streamflow.Stage) (rights []Right) {
	topic := func(name string, operations ...kmsg.ACLOperation) {
		rights = append(rights, Right{kmsg.ACLResourceTypeTopic, name, false, operations})
	}
	for _, p := range s.Reads {
		if p.Kind == streamflow.KindTopic {
			topic(p.Name, kmsg.ACLOperationRead)
		}
	}
	for _, p := range s.Writes {
		if p.Kind != streamflow.KindTopic {
			continue
		}
		// Whoever goes on with a topic reads how far it has come.
		topic(p.Name, kmsg.ACLOperationWrite, kmsg.ACLOperationRead)
		if s.Durable != "" { // written in transactions, see bridge.Publisher
			role, _, _ := strings.Cut(s.Name, "-")
			rights = append(rights, Right{kmsg.ACLResourceTypeTransactionalId, "streamflow-" + role + "-" + p.Name, false, []kmsg.ACLOperation{kmsg.ACLOperationWrite}})
		}
	}
	if s.Name == StageIngest { // each file has a transaction of its own
		rights = append(rights, Right{kmsg.ACLResourceTypeTransactionalId, "streamflow-ingest-", true, []kmsg.ACLOperation{kmsg.ACLOperationWrite}})
	}
	if s.Group != "" {
		rights = append(rights, Right{kmsg.ACLResourceTypeGroup, s.Group, false, []kmsg.ACLOperation{kmsg.ACLOperationRead}})
	}
	if s.Room == "api" { // it shows how far all groups are
		rights = append(rights, Right{kmsg.ACLResourceTypeGroup, "*", false, []kmsg.ACLOperation{kmsg.ACLOperationDescribe}})
	}
	return rights
}
