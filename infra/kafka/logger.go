package kafka

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// quietFor is how long a warning is not repeated: while a broker is away the
// client says so at every attempt.
const quietFor = 30 * time.Second

// logger gives the client's log to slog. What the client calls information is
// for debugging here.
type logger struct {
	*slog.Logger
	mu   sync.Mutex
	told map[string]time.Time // by message; the client has some dozens
}

func newLogger(l *slog.Logger) *logger {
	return &logger{Logger: l.With("component", "kafka"), told: make(map[string]time.Time)}
}

// Level returns up to which level the client should take the trouble.
func (l *logger) Level() kgo.LogLevel {
	switch ctx := context.Background(); {
	case l.Enabled(ctx, slog.LevelDebug):
		return kgo.LogLevelInfo
	case l.Enabled(ctx, slog.LevelWarn):
		return kgo.LogLevelWarn
	case l.Enabled(ctx, slog.LevelError):
		return kgo.LogLevelError
	}
	return kgo.LogLevelNone
}

// Log writes one line of the client's log.
func (l *logger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	to := slog.LevelDebug
	switch level {
	case kgo.LogLevelError:
		to = slog.LevelError
	case kgo.LogLevelWarn:
		to = slog.LevelWarn
	}
	if to >= slog.LevelWarn && !l.due(msg) {
		to = slog.LevelDebug
	}
	l.Logger.Log(context.Background(), to, msg, keyvals...)
}

func (l *logger) due(msg string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.told[msg]) < quietFor {
		return false
	}
	l.told[msg] = time.Now()
	return true
}
