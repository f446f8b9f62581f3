package api

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// lookTimeout is how long another server than the database may take for one
// answer.
const lookTimeout = 5 * time.Second

// ask bounds the time of one question to a server, which name names, and makes
// a problem of its error. One that is silent is as good as absent: 503.
func ask[T any](ctx context.Context, s *Server, name string, question func(context.Context) (T, error)) (T, error) {
	return askFor(ctx, s, name, lookTimeout, question)
}

func askFor[T any](ctx context.Context, s *Server, name string, limit time.Duration, question func(context.Context) (T, error)) (T, error) {
	bound, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	v, err := question(bound)
	if err == nil {
		return v, nil
	}
	var status huma.StatusError
	switch {
	case errors.As(err, &status):
		return v, err
	case errors.Is(ctx.Err(), context.Canceled):
		return v, unavailable("the client has gone") // nobody reads it
	case errors.Is(bound.Err(), context.DeadlineExceeded):
		return v, unavailable("%s did not answer within %s", name, limit)
	}
	s.log.Warn("a server cannot be used", "server", name, "error", err)
	return v, unavailable("%s cannot be used: %v", name, err)
}

// Names of the servers in problems.
const (
	serverKafka = "Kafka"
	serverNATS  = "NATS"
)
