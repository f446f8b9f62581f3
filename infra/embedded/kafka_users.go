package embedded

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// KafkaUser is who may come to the embedded Kafka.
type KafkaUser struct {
	Name, Password string
	// Mechanisms of SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512. Without any both
	// of SCRAM.
	Mechanisms []string
	// Super may do everything. Others may do what is in Rights.
	Super  bool
	Rights []KafkaRight
}

// KafkaRight lets a user do something with a topic, group or transaction.
type KafkaRight struct {
	Resource   kmsg.ACLResourceType
	Name       string
	Prefix     bool // Name is only how it begins
	Operations []kmsg.ACLOperation
}

// keeperName is the user that the embedded Kafka's own client is.
const keeperName = "streamflow-keeper"

// kafkaKeeper sees to it that only Users come in, and is itself one of them,
// with a password that lives as long as the process.
type kafkaKeeper struct {
	users     []KafkaUser
	password  string
	encrypted bool
}

// newKafkaKeeper forgets the users and rights of the last start: kfake would
// take those on its disk for the present ones.
func newKafkaKeeper(cfg KafkaConfig) (kafkaKeeper, error) {
	for _, name := range []string{"sasl.json", "acls.json"} {
		if err := os.Remove(filepath.Join(cfg.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return kafkaKeeper{}, err
		}
	}
	return kafkaKeeper{users: cfg.Users, password: rand.Text(), encrypted: cfg.TLS != nil}, nil
}

// server returns what the broker must know.
func (k kafkaKeeper) server() []kfake.Opt {
	if len(k.users) == 0 {
		return nil
	}
	opts := []kfake.Opt{kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("SCRAM-SHA-256", keeperName, k.password)}
	for _, u := range k.users {
		mechanisms := u.Mechanisms
		if len(mechanisms) == 0 {
			mechanisms = []string{"SCRAM-SHA-256", "SCRAM-SHA-512"}
		}
		for _, m := range mechanisms {
			if u.Super {
				opts = append(opts, kfake.Superuser(m, u.Name, u.Password))
			} else {
				opts = append(opts, kfake.User(m, u.Name, u.Password))
			}
		}
	}
	return opts
}

// client returns what our own client must know.
func (k kafkaKeeper) client() []kgo.Opt {
	if len(k.users) == 0 {
		return nil
	}
	return []kgo.Opt{kgo.SASL(scram.Auth{User: keeperName, Pass: k.password}.AsSha256Mechanism())}
}

// dial reaches the house's own door, whatever name is advertised: our client
// stays in the house.
func (k kafkaKeeper) dial(local string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		if k.encrypted {
			// The door was opened by this process: there is nobody to be taken in by.
			d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}
			return d.DialContext(ctx, network, local)
		}
		var d net.Dialer
		return d.DialContext(ctx, network, local)
	}
}

// permit gives the users their rights.
func (k kafkaKeeper) permit(ctx context.Context, client *kgo.Client) error {
	request := kmsg.NewPtrCreateACLsRequest()
	for _, u := range k.users {
		for _, r := range u.Rights {
			for _, operation := range r.Operations {
				c := kmsg.NewCreateACLsRequestCreation()
				c.ResourceType, c.ResourceName, c.ResourcePatternType = r.Resource, r.Name, kmsg.ACLResourcePatternTypeLiteral
				if r.Prefix {
					c.ResourcePatternType = kmsg.ACLResourcePatternTypePrefixed
				}
				c.Principal, c.Host, c.Operation, c.PermissionType = "User:"+u.Name, "*", operation, kmsg.ACLPermissionTypeAllow
				request.Creations = append(request.Creations, c)
			}
		}
	}
	if len(request.Creations) == 0 {
		return nil
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("rights of users: %w", err)
	}
	for i, result := range response.Results {
		if err := kerr.ErrorForCode(result.ErrorCode); err != nil {
			return fmt.Errorf("rights of %s on %s: %w", request.Creations[i].Principal, request.Creations[i].ResourceName, err)
		}
	}
	return nil
}
