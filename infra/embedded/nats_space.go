package embedded

import (
	"errors"
	"fmt"

	"github.com/nats-io/nats-server/v2/server"
)

// hold makes JetStream refuse what would be stored, or take it again. A publisher
// gets an error ("resource limits exceeded for account"), and tries again.
//
// JetStream must not come to a write that fails: from then on it refuses all that
// is sent to the stream, until the server is restarted.
func hold(ns *server.Server, low bool) error {
	if !ns.JetStreamEnabled() {
		return errors.New("JetStream is off")
	}
	account, err := ns.LookupAccount(server.DEFAULT_GLOBAL_ACCOUNT)
	if err != nil {
		return err
	}
	var limits map[string]server.JetStreamAccountLimits // nil is without
	if low {
		// What is there already is more than a byte, so nothing is taken.
		limits = map[string]server.JetStreamAccountLimits{"": {
			MaxMemory: -1, MaxStore: 1, MaxStreams: -1, MaxConsumers: -1, MaxAckPending: -1, MemoryMaxStreamBytes: -1, StoreMaxStreamBytes: -1,
		}}
	}
	if err := account.UpdateJetStreamLimits(limits); err != nil {
		return fmt.Errorf("limits of JetStream: %w", err)
	}
	return nil
}
