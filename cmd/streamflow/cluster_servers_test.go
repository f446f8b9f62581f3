//go:build cluster && linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const nodes = 3

// nodesOf are the names that docker-compose.yml gives the nodes of a cluster.
func nodesOf(kind string) (hosts []string) {
	for i := range nodes {
		hosts = append(hosts, fmt.Sprintf("%s-%d", kind, i+1))
	}
	return hosts
}

// cluster is a world whose Kafka and NATS have three nodes each, configured as
// docker-compose.yml and infra/nats/cluster.conf have it.
type cluster struct {
	*world
	net     *network
	nodes   map[string]*child // the servers of both clusters, by host
	keeper  *child            // of PostgreSQL, of which there is one
	client  *kgo.Client
	js      jetstream.JetStream
	candles *causes
}

// need returns a variable that infra/stack/cluster sets.
func need(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: infra/stack/cluster sets it, which go tool task test:cluster runs", name)
	}
	return value
}

// newCluster starts the servers and makes topics, streams and tables.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	jars, binary := need(t, "STREAMFLOW_CLUSTER_KAFKA"), need(t, "STREAMFLOW_CLUSTER_NATS")
	c := &cluster{world: newWorld(t), nodes: make(map[string]*child)}
	settings := make(map[string]string)
	for line := range strings.Lines(readRepository(t, "infra", "compose", "cluster.env")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			settings[name] = value
		}
	}
	c.kafka, c.nats = settings["KAFKA_BOOTSTRAP_SERVERS"], strings.TrimPrefix(settings["NATS_URL"], "nats://")
	c.further = []string{"REPLICATION=" + settings["REPLICATION"]}
	c.net = newNetwork(t, slices.Concat(nodesOf(kindKafka), nodesOf(kindNATS)))
	t.Cleanup(c.killServers) // the last broker of a cluster waits long for others
	for _, host := range nodesOf(kindNATS) {
		c.nodes[host] = c.startLine(kindNATS, host, append(c.net.on(host), binary, "--config", c.node(host), "--name", host))
	}
	compose := readCompose(t)
	for _, host := range nodesOf(kindKafka) {
		c.nodes[host] = c.startLine(kindKafka, host, append(c.net.on(host), c.broker(host, jars, compose.Services[host].environment())...))
	}
	c.keeper = c.start(kindPostgres, kindPostgres)
	c.connect()
	c.await("PostgreSQL", time.Minute, func() bool { return listens(c.postgres) })
	c.topics()
	c.whole()
	return c
}

// absolute is the path of a file of the repository for other processes.
func absolute(t *testing.T, elements ...string) string {
	t.Helper()
	path, err := filepath.Abs(repository(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// node prepares a node of NATS and returns its configuration, which is the
// container's but for the directory.
func (c *cluster) node(host string) string {
	c.t.Helper()
	dir := filepath.Join(c.dir, host)
	if err := os.Mkdir(dir, 0o755); err != nil {
		c.t.Fatal(err)
	}
	for _, name := range []string{"nats.conf", "cluster.conf"} {
		text := strings.ReplaceAll(readRepository(c.t, "infra", "nats", name), "store_dir: /data\n", "store_dir: "+filepath.Join(dir, "data")+"\n")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cluster.conf")
}

// broker prepares a broker with the environment that its container has, and
// returns its command. The image's own program makes its configuration of them.
func (c *cluster) broker(host, jars string, environment map[string]string) []string {
	c.t.Helper()
	dir := filepath.Join(c.dir, host)
	image, config, mounted := filepath.Join(dir, "image"), filepath.Join(dir, "config"), absolute(c.t, "infra", "compose", "kafka")
	for _, d := range []string{dir, image, config} {
		if err := os.Mkdir(d, 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	// What the image has of its own, in place of its configuration of logs ours.
	for name, text := range map[string]string{
		"server.properties": "process.roles=broker\n",
		"log4j2.yaml":       readRepository(c.t, "infra", "compose", "kafka", "log4j2.yaml"),
		"tools-log4j2.yaml": readRepository(c.t, "infra", "compose", "kafka", "log4j2.yaml"),
	} {
		if err := os.WriteFile(filepath.Join(image, name), []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
	environment["KAFKA_LOG_DIRS"] = filepath.Join(dir, "data")
	// Less memory than in a container, for three of them are on one machine.
	java := []string{"java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j2.configurationFile=" + absolute(c.t, "infra", "kafka", "apache", "log4j2.properties"), "-cp", filepath.Join(jars, "*")}
	setup := append(slices.Clone(java), "kafka.docker.KafkaDockerWrapper", "setup",
		"--default-configs-dir", image, "--mounted-configs-dir", mounted, "--final-configs-dir", config)
	cmd := exec.Command(setup[0], setup[1:]...)
	cmd.Env = os.Environ()
	for name, value := range environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("configure and format %s as its image does: %v\n%s", host, err, out)
	}
	return append(java, "kafka.Kafka", filepath.Join(config, "server.properties"))
}

// connect makes the clients by which the test looks at the clusters.
func (c *cluster) connect() {
	c.t.Helper()
	client, err := kgo.NewClient(c.brokers(), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(client.Close)
	c.client = client
	c.js = c.natsAt(c.nats)
}

// natsAt connects to these nodes, and to no other.
func (c *cluster) natsAt(nodes string) jetstream.JetStream {
	c.t.Helper()
	nc, err := nats.Connect("nats://"+nodes, nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true), nats.PingInterval(time.Second), nats.IgnoreDiscoveredServers())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		c.t.Fatal(err)
	}
	return js
}

func (c *cluster) killServers() {
	if c.t.Failed() {
		c.t.Log(c.logs())
	}
	for _, node := range c.nodes {
		node.stop(syscall.SIGKILL)
	}
}

// whole waits until every replica of both clusters has what it should have.
func (c *cluster) whole() time.Duration {
	c.t.Helper()
	why := ""
	return c.await("both clusters are whole", 3*time.Minute, func() bool {
		ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
		defer cancel()
		err := c.kafkaWhole(ctx)
		if err == nil {
			err = c.natsWhole(ctx)
		}
		why = fmt.Sprint(err)
		return err == nil
	}, func() string { return why })
}

func (c *cluster) kafkaWhole(ctx context.Context) error {
	// All are asked: one that was cut off may not know yet what it has missed.
	for id := range nodes {
		meta, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, c.client.Broker(id+1))
		if err != nil {
			return fmt.Errorf("broker %d: %w", id+1, err)
		}
		if len(meta.Brokers) != nodes {
			return fmt.Errorf("broker %d knows %d brokers", id+1, len(meta.Brokers))
		}
		for _, topic := range meta.Topics {
			for _, p := range topic.Partitions {
				if len(p.Replicas) != nodes || len(p.ISR) != nodes || p.Leader < 0 {
					return fmt.Errorf("broker %d: topic %s/%d has replicas %v, of which %v are in sync, and leader %d", id+1, *topic.Topic, p.Partition, p.Replicas, p.ISR, p.Leader)
				}
			}
		}
	}
	return nil
}

func (c *cluster) natsWhole(ctx context.Context) error {
	for _, host := range nodesOf(kindNATS) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+":8222/healthz", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s says %s of its health", host, answer.Status)
		}
	}
	streams := c.js.ListStreams(ctx)
	for info := range streams.Info() {
		if info.Cluster == nil || info.Cluster.Leader == "" || len(info.Cluster.Replicas) != nodes-1 {
			return fmt.Errorf("stream %s has no leader, or not all of its replicas: %+v", info.Config.Name, info.Cluster)
		}
		for _, r := range info.Cluster.Replicas {
			if !r.Current || r.Offline {
				return fmt.Errorf("stream %s: replica %s is behind", info.Config.Name, r.Name)
			}
		}
	}
	return streams.Err()
}

// leaderOf returns the host that leads a stream.
func (c *cluster) leaderOf(stream string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		c.t.Fatal(err)
	}
	return s.CachedInfo().Cluster.Leader
}

// leaderIn returns the host that leads the first partition of the ticks.
func (c *cluster) leaderIn() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	meta, err := kadm.NewClient(c.client).Metadata(ctx, "stock_ticks")
	if err != nil {
		c.t.Fatal(err)
	}
	return fmt.Sprintf("%s-%d", kindKafka, meta.Topics["stock_ticks"].Partitions[0].Leader)
}
