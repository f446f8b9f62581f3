package jetstream

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// intake gathers what a consumer delivers so that a reader can take a lone
// message at once and a backlog in bulk.
type intake struct {
	messages chan jetstream.Msg
	failed   chan error
	done     chan struct{}
}

// consume starts delivery. stop ends it and waits for nothing: what is still in
// the intake is dropped, and delivered again to whoever comes next.
func consume(c jetstream.Consumer, opts ...jetstream.PullConsumeOpt) (*intake, func(), error) {
	in := &intake{messages: make(chan jetstream.Msg, pull), failed: make(chan error, 1), done: make(chan struct{})}
	opts = append(opts,
		jetstream.PullMaxMessages(pull),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			if !fatal(err) {
				return
			}
			select {
			case in.failed <- err:
			default:
			}
		}))
	// A full channel blocks the callback, and with it the next pull: that is the
	// backpressure.
	cc, err := c.Consume(func(m jetstream.Msg) {
		select {
		case in.messages <- m:
		case <-in.done:
		}
	}, opts...)
	if err != nil {
		return nil, nil, err
	}
	return in, func() { close(in.done); cc.Stop() }, nil
}

// fatal tells errors after which nothing more is delivered from those that
// nats.go overcomes by itself.
func fatal(err error) bool {
	return errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrConsumerNotFound) ||
		errors.Is(err, jetstream.ErrOrderedConsumerReset) || errors.Is(err, jetstream.ErrOrderConsumerUsedAsConsume) ||
		errors.Is(err, jetstream.ErrBadRequest) || errors.Is(err, jetstream.ErrStreamNotFound)
}

// next waits for one message and then takes what else is there, up to limit.
func (in *intake) next(ctx context.Context, into []jetstream.Msg, limit int) ([]jetstream.Msg, error) {
	select {
	case <-ctx.Done():
		return into, ctx.Err()
	case err := <-in.failed:
		return into, err
	case m := <-in.messages:
		into = append(into, m)
	}
	for len(into) < limit {
		select {
		case m := <-in.messages:
			into = append(into, m)
		default:
			return into, nil
		}
	}
	return into, nil
}
