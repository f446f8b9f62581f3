package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// find says which message of a stream is looked for: the first one that was
// stored at a time or later, or the first on a subject from a sequence on. The
// server has an index for either; the library has no call for them.
type find struct {
	Stored   time.Time `json:"start_time,omitzero"`
	Sequence uint64    `json:"seq,omitempty"`
	Subject  string    `json:"next_by_subj,omitempty"` // wildcards allowed
}

// find returns the sequence of the message, 0 if there is none.
func (c *Client) find(ctx context.Context, stream string, f find) (uint64, error) {
	request, err := json.Marshal(f)
	if err != nil {
		return 0, err
	}
	// Who trims streams waits for as long as the process lives.
	ctx, cancel := context.WithTimeout(ctx, answerAtMost)
	defer cancel()
	reply, err := c.answer(ctx, &nats.Msg{Subject: "$JS.API.STREAM.MSG.GET." + stream, Data: request})
	if errors.Is(err, nats.ErrNoResponders) {
		return 0, jetstream.ErrJetStreamNotEnabled
	}
	if err != nil {
		return 0, err
	}
	var answer struct {
		Error   *APIError `json:"error"`
		Message struct {
			Sequence uint64 `json:"seq"`
		} `json:"message"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return 0, fmt.Errorf("unreadable answer %.80q: %w", reply.Data, err)
	}
	switch {
	case answer.Error == nil:
		return answer.Message.Sequence, nil
	case answer.Error.Code == int(jetstream.JSErrCodeMessageNotFound):
		return 0, nil
	}
	return 0, answer.Error
}
