package kafka

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow/infra/kafka/kafkatest"
)

func TestBrokers(t *testing.T) {
	for list, want := range map[string][]string{
		"":                 nil,
		" , ":              nil,
		"a:9092":           {"a:9092"},
		"a:9092, b:9093 ,": {"a:9092", "b:9093"},
	} {
		if got := Brokers(list); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}

func TestConnect(t *testing.T) {
	var log bytes.Buffer
	client, err := Connect(t.Context(), Config{Brokers: kafkatest.Start(t), ClientID: "test",
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	if log.Len() > 0 {
		t.Errorf("all is well, and yet the log says\n%s", log.String())
	}
}

// A broker that takes connections and says nothing keeps nobody from the others.
func TestConnectBesideABrokerThatHangs(t *testing.T) {
	silent := listen(t, func(net.Conn) {}).Addr().String()
	for range 3 {
		client, err := Connect(t.Context(), Config{Brokers: append([]string{silent}, kafkatest.Start(t)...)})
		if err != nil {
			t.Fatal(err)
		}
		client.Close()
	}
}

// TestConnectSaysWhatIsWrong: the brokers, the fault, the way out.
func TestConnectSaysWhatIsWrong(t *testing.T) {
	closed := listen(t, nil)
	closed.Close()
	silent := listen(t, func(net.Conn) {})
	rude := listen(t, func(c net.Conn) { c.Close() })
	for name, c := range map[string]struct {
		addr, want string
		timeout    time.Duration // that of the silent one passes; the others answer, however long a busy machine takes
	}{
		"closed":  {closed.Addr().String(), "nothing listens there", 2 * time.Minute},
		"silent":  {silent.Addr().String(), "no answer in", 500 * time.Millisecond},
		"rude":    {rude.Addr().String(), "closes the connection", 2 * time.Minute},
		"unknown": {"no-such-host.invalid:9092", "no-such-host.invalid", 2 * time.Minute},
		"none":    {"", "KAFKA_BOOTSTRAP_SERVERS", 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Connect(t.Context(), Config{Brokers: Brokers(c.addr), Timeout: c.timeout})
			if err == nil {
				t.Fatal("connected to nothing")
			}
			for _, want := range []string{c.addr, c.want, "KAFKA_BOOTSTRAP_SERVERS"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nshould say %q", err, want)
				}
			}
		})
	}
}

// listen accepts connections on loopback and gives them to handle.
func listen(t *testing.T, handle func(net.Conn)) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c)
		}
	}()
	return l
}

func TestWarningsAreNotRepeated(t *testing.T) {
	var log bytes.Buffer
	l := newLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo})))
	for range 10 {
		l.Log(kgo.LogLevelWarn, "a broker is away", "broker", 1)
		l.Log(kgo.LogLevelError, "worse")
		l.Log(kgo.LogLevelInfo, "chatter")
	}
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines, want 2:\n%s", n, log.String())
	}
	for level, want := range map[slog.Level]kgo.LogLevel{slog.LevelDebug: kgo.LogLevelInfo, slog.LevelInfo: kgo.LogLevelWarn,
		slog.LevelError: kgo.LogLevelError, slog.LevelError + 4: kgo.LogLevelNone} {
		l := newLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})))
		if got := l.Level(); got != want {
			t.Errorf("%s: %v, want %v", level, got, want)
		}
	}
}

// connect is Connect for tests of what comes after it.
func connect(t testing.TB) (*kgo.Client, Config) {
	t.Helper()
	c := Config{Brokers: kafkatest.Start(t), ClientID: "test"}
	client, err := Connect(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, c
}
