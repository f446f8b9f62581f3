package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// stopWait is how long requests may go on after the stop: longer than the
// longest query may take.
const stopWait = queryTimeout + 2*time.Second

// What a connection may take. One that sends its headers or its body in drops
// is ended; the guard's own limit of headers is lower than the one here, which
// bounds what is read before anybody can answer.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	sendTimeout   = time.Minute
	idleTimeout   = 2 * time.Minute
	headerBytes   = 64 << 10
)

// Serve answers HTTP on l with h until ctx ends, and then lets the requests
// that run come to their end. It does not wait for websockets: [Server.Run]
// ends those.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: sendTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
	defer cancel()
	err := srv.Shutdown(stop)
	if err != nil {
		err = errors.Join(err, srv.Close())
	}
	<-failed
	return err
}
