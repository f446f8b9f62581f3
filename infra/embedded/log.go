package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
)

func logger(l *slog.Logger, server string) *slog.Logger {
	if l == nil {
		l = slog.Default()
	}
	return l.With("server", server)
}

// closing closes c because of err and returns both reasons.
func closing(err error, c io.Closer) error { return errors.Join(err, c.Close()) }

// logf formats only what will be seen.
func logf(l *slog.Logger, level slog.Level, format string, args []any) {
	ctx := context.Background()
	if l.Enabled(ctx, level) {
		l.Log(ctx, level, strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

// kafkaLogger sends kfake's log to slog. What kfake calls information is the
// coming and going of group members, and its warnings about clients are no
// business of ours either; its warnings about the disk are.
type kafkaLogger struct{ log *slog.Logger }

func (l kafkaLogger) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
	case kfake.LogLevelWarn:
		if !aboutClients(format) {
			to = slog.LevelWarn
		}
	}
	logf(l.log, to, format, args)
}

func aboutClients(format string) bool {
	for _, prefix := range []string{"consumer", "OffsetCommit", "txn:"} {
		if strings.HasPrefix(format, prefix) {
			return true
		}
	}
	return false
}
