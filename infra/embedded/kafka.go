package embedded

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// DefaultRetention is how long records are kept when nobody says otherwise.
const DefaultRetention = 24 * time.Hour

// never is a ticker interval that does not come: a hundred years of
// milliseconds, which still fit a time.Duration.
const never = "3153600000000"

// KafkaConfig says where the embedded Kafka listens and keeps its log.
type KafkaConfig struct {
	Addr      string        // host:port, ":0"-style ports allowed
	Dir       string        // data directory, of this server alone
	Retention time.Duration // for topics without retention.ms; 0 is DefaultRetention
	TLS       *tls.Config   // how it speaks with clients; nil is in the clear
	Users     []KafkaUser   // who is let in; without any everybody is, to everything
	NoSync    bool          // leave it to the system when records are on the disk
	Reserve   int64         // bytes of the disk that are left free, see [Space]; 0 is DefaultReserve
	Logger    *slog.Logger  // nil is slog.Default()
}

// Kafka is a running embedded broker.
//
// Retention is enforced here, once a minute, by deleting records as a client
// would. kfake's own retention is kept from running, for two reasons: after a
// restart it does not start until somebody alters a topic; and it removes the
// newest batch of a partition too, whereupon the next restart finds an empty
// directory and counts offsets from 0 again, below every stored position. We
// always leave the newest batch, as a real broker leaves its last segment.
// Topics with cleanup.policy=compact are not compacted.
type Kafka struct {
	cluster *kfake.Cluster
	client  *kgo.Client
	admin   *kadm.Client
	addr    string
	log     *slog.Logger
	space   *Space
	flush   *flusher // nil if that is left to the system

	stop context.CancelFunc
	done sync.WaitGroup
}

// StartKafka starts a broker on cfg.Addr with the log in cfg.Dir. When it
// returns, the broker answers and what is past its retention is gone.
func StartKafka(cfg KafkaConfig) (*Kafka, error) {
	log := logger(cfg.Logger, "kafka")
	if cfg.Retention <= 0 {
		cfg.Retention = DefaultRetention
	}
	ln, err := kafkaService.listen(cfg.Addr)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("start Kafka: %w", closing(err, ln))
	}
	tcp := ln.Addr().(*net.TCPAddr)
	if err := completeIndexes(cfg.Dir, log); err != nil {
		return nil, fmt.Errorf("start Kafka in %s: %w", cfg.Dir, closing(err, ln))
	}
	keeper, err := newKafkaKeeper(cfg)
	if err != nil {
		return nil, fmt.Errorf("start Kafka: %w", closing(err, ln))
	}
	door, err := newGate(ln, cfg.TLS)
	if err != nil {
		return nil, fmt.Errorf("start Kafka: %w", closing(err, ln))
	}
	local := door.house.Addr().String()
	listener, flush := holdAnswers(advertise(door, tcp), cfg, log)
	cluster, err := kfake.NewCluster(append(cfg.options(log), append(keeper.server(),
		kfake.ListenFn(func(string, string) (net.Listener, error) {
			return listener, nil
		}),
	)...)...)
	if err != nil {
		flush.close()
		return nil, fmt.Errorf("start Kafka in %s: %w", cfg.Dir, closing(err, door))
	}
	client, err := kgo.NewClient(append(keeper.client(),
		kgo.SeedBrokers(local),
		kgo.ClientID("streamflow-retention"),
		kgo.MetadataMinAge(10*time.Millisecond), // see topics as they are
		kgo.Dialer(keeper.dial(local)),
	)...)
	if err != nil {
		cluster.Close()
		flush.close()
		return nil, fmt.Errorf("start Kafka: %w", err)
	}
	space := WatchSpace(cfg.Dir, cfg.Reserve, log, func(bool) error { return nil })
	refuseWhenFull(cluster, space)
	refuseMarksWhenFull(cluster, cfg.Dir)
	ctx, stop := context.WithCancel(context.Background())
	k := &Kafka{
		space:   space,
		flush:   flush,
		cluster: cluster, client: client, admin: kadm.NewClient(client),
		addr: cluster.ListenAddrs()[0], log: log, stop: stop,
	}
	if err = keeper.permit(ctx, client); err == nil {
		err = k.endBroken(ctx)
	}
	if err != nil {
		_ = k.Close()
		return nil, fmt.Errorf("start Kafka in %s: before clients come in: %w", cfg.Dir, err)
	}
	door.open()
	k.retainLogged(ctx)
	k.done.Go(func() { every(ctx, retentionEvery, func() { k.retainLogged(ctx) }) })
	log.Info("Kafka is ready", "addr", k.addr, "dir", cfg.Dir, "retention", cfg.Retention)
	return k, nil
}

// options are those of the broker itself.
func (cfg *KafkaConfig) options(log *slog.Logger) []kfake.Opt {
	return []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID("streamflow"),
		kfake.DefaultNumPartitions(3),
		kfake.DataDir(cfg.Dir),
		kfake.WithLogger(kafkaLogger{log}),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms":       strconv.FormatInt(cfg.Retention.Milliseconds(), 10),
			"log.cleaner.backoff.ms": never,
			// A start reads segments whole: smaller ones take less memory.
			"log.segment.bytes": strconv.Itoa(32 << 20),
		}),
	}
}

// Addr is the address that clients bootstrap from.
func (k *Kafka) Addr() string { return k.addr }

// Close writes the state that a clean start wants (a start after kill -9 does
// without) and closes the port. It may be called more than once.
func (k *Kafka) Close() error {
	k.stop()
	k.space.Close()
	k.done.Wait()
	k.client.Close()
	k.cluster.Close()
	k.flush.close()
	return nil
}

// advertisedListener reports another address than it listens on: kfake tells
// clients to connect to what its listener reports.
type advertisedListener struct {
	net.Listener
	host string
	port int
}

func (l advertisedListener) Addr() net.Addr { return l }
func (advertisedListener) Network() string  { return "tcp" }
func (l advertisedListener) String() string {
	return net.JoinHostPort(l.host, strconv.Itoa(l.port))
}

// advertise gives a listener on every address a name that clients can connect
// to: the name of this machine if it resolves, else loopback.
func advertise(ln net.Listener, tcp *net.TCPAddr) net.Listener {
	if !tcp.IP.IsUnspecified() {
		return ln
	}
	if name, err := os.Hostname(); err == nil {
		if _, err := net.LookupHost(name); err == nil {
			return advertisedListener{ln, name, tcp.Port}
		}
	}
	return advertisedListener{ln, "127.0.0.1", tcp.Port}
}
