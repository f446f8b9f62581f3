package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Config says where Kafka is.
type Config struct {
	Brokers  []string // host:port; see [Brokers]
	ClientID string   // by which the brokers' logs and quotas know this process
	Security Security
	Logger   *slog.Logger
	// Timeout is how long Connect tries. 0 means 10 s, and 20 s if there are several
	// brokers: one that hangs is waited for before the client tries the next.
	Timeout time.Duration
}

const connectTimeout = 10 * time.Second

// Brokers reads KAFKA_BOOTSTRAP_SERVERS: host:port, separated by commas.
func Brokers(list string) []string {
	var brokers []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			brokers = append(brokers, part)
		}
	}
	return brokers
}

// Connect returns a client that has spoken with a broker. extra comes after the
// common options and wins over them; metrics (kprom) are given by it, as hooks.
// The error names the brokers, what was wrong and the way out.
func Connect(ctx context.Context, c Config, extra ...kgo.Opt) (*kgo.Client, error) {
	if len(c.Brokers) == 0 {
		return nil, errors.New("kafka: no broker is named: set KAFKA_BOOTSTRAP_SERVERS to host:port[,host:port]")
	}
	if c.Timeout <= 0 {
		c.Timeout = connectTimeout * time.Duration(min(len(c.Brokers), 2))
	}
	common, err := c.options()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(common, extra...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka at %s: %w", strings.Join(c.Brokers, ", "), err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	reached := make(chan error, 1)
	go func() { reached <- c.reach(ctx, client) }()
	select {
	case err = <-reached:
	case <-ctx.Done():
		// The client is still waiting for a broker that took the connection and
		// says nothing, for which it has a patience of its own.
		err = c.explain(ctx.Err())
	}
	if err != nil {
		go client.Close()
		return nil, err
	}
	return client, nil
}

// options are common to all clients. Retries stay unlimited, as the client has
// them: how long to wait for Kafka is the caller's decision, by its context.
func (c Config) options() ([]kgo.Opt, error) {
	secured, err := c.Security.tls()
	if err != nil {
		return nil, err
	}
	opts, err := c.Security.options()
	if err != nil {
		return nil, err
	}
	opts = append(opts,
		kgo.SeedBrokers(c.Brokers...),
		// A broker that is cut off, or hangs, says nothing more. The cluster does
		// without it after 9 s (broker.session.timeout.ms); then so should we.
		c.dialer(secured),
		kgo.RequestTimeoutOverhead(5*time.Second),
		// A leader that has lost its peers and not us tells neither: it lets each
		// request that is on its way to it, up to five, wait for so long, one after
		// the other, and answers who reads from it that there is nothing new. Who
		// leads now is known by asking the others.
		kgo.ProduceRequestTimeout(2*time.Second),
		kgo.MetadataMaxAge(5*time.Second),
		kgo.MetadataMinAge(250*time.Millisecond),
	)
	if c.ClientID != "" {
		opts = append(opts, kgo.ClientID(c.ClientID))
	}
	if c.Logger != nil {
		opts = append(opts, kgo.WithLogger(newLogger(c.Logger)))
	}
	return opts, nil
}

// reach speaks with the brokers, first as they were named and then as they name
// themselves: a broker in a container often gives an address that only its
// neighbours reach, and without this every later request would hang.
func (c Config) reach(ctx context.Context, client *kgo.Client) error {
	if _, err := first(client.SeedBrokers(), func(b *kgo.Broker) (kmsg.Response, error) { return b.Request(ctx, noTopics()) }); err != nil {
		return c.explain(err)
	}
	resp, err := noTopics().RequestWith(ctx, client) // whoever it asks, it tries another
	if err != nil {
		return c.explain(err)
	}
	_, err = first(resp.Brokers, func(b kmsg.MetadataResponseBroker) (kmsg.Response, error) {
		answer, err := client.Broker(int(b.NodeID)).Request(ctx, kmsg.NewPtrApiVersionsRequest())
		if err != nil {
			err = fmt.Errorf("kafka at %s: it answers and sends its clients on to %s:%d, where it cannot be reached (%w): correct the advertised.listeners of the broker",
				strings.Join(c.Brokers, ", "), b.Host, b.Port, err)
		}
		return answer, err
	})
	return err
}

// noTopics asks which brokers there are.
func noTopics() *kmsg.MetadataRequest {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{}
	return request
}

// first asks all brokers at once and returns the first answer: one that answers
// is enough, the others may be down, or hang, for a while. If there is none it
// returns the first error.
func first[B any](brokers []B, ask func(B) (kmsg.Response, error)) (kmsg.Response, error) {
	type result struct {
		resp kmsg.Response
		err  error
	}
	results := make(chan result, len(brokers))
	for _, b := range brokers {
		go func() {
			resp, err := ask(b)
			results <- result{resp, err}
		}()
	}
	failed := errors.New("it names no broker")
	for i := range brokers {
		r := <-results
		if r.err == nil {
			return r.resp, nil
		}
		if i == 0 {
			failed = r.err
		}
	}
	return nil, failed
}

// explain says what an error of the first contact means.
func (c Config) explain(err error) error {
	why := err.Error()
	var dns *net.DNSError
	var first *kgo.ErrFirstReadEOF
	closed := errors.As(err, &first) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
	unsafe := c.Security.explain(err, closed)
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("kafka at %s: %w", strings.Join(c.Brokers, ", "), err)
	case errors.Is(err, syscall.ECONNREFUSED):
		why = "nothing listens there: is it running?"
	case errors.As(err, &dns):
		why = fmt.Sprintf("the name %q is not known here", dns.Name)
	case unsafe != "":
		return fmt.Errorf("kafka at %s: %s (%w)", strings.Join(c.Brokers, ", "), unsafe, err)
	case closed:
		why = "it closes the connection: is this the port of another program, or one that wants TLS (KAFKA_TLS) or a login (KAFKA_SASL_MECHANISM)?"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		why = fmt.Sprintf("no answer in %s: is this the right port, and does a firewall let it through?", c.Timeout)
	}
	return fmt.Errorf("kafka at %s: %s Set KAFKA_BOOTSTRAP_SERVERS to host:port of a broker, or leave it empty and `streamflow up` starts one (%w)",
		strings.Join(c.Brokers, ", "), why, err)
}
