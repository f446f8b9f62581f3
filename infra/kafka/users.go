package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// User is who may come to a Kafka of its own brokers, by SCRAM-SHA-512.
type User struct {
	Name, Password string
	Rights         []Right // none for a superuser, whom the brokers' settings name
}

// scramRounds are those that Kafka takes by itself: ours are random passwords,
// which there is no use in guessing.
const scramRounds = 4096

// EnsureUsers gives the users their passwords and their rights, and takes from
// them what rights they had before. It says in words which rights it changed;
// passwords are set anew, for nobody can ask a broker for one. Other users are
// left alone.
func EnsureUsers(ctx context.Context, client *kgo.Client, users []User) (changes []string, err error) {
	passwords := make([]kadm.UpsertSCRAM, 0, len(users))
	for _, u := range users {
		passwords = append(passwords, kadm.UpsertSCRAM{User: u.Name, Mechanism: kadm.ScramSha512, Iterations: scramRounds, Password: u.Password})
	}
	altered, err := kadm.NewClient(client).AlterUserSCRAMs(ctx, nil, passwords)
	if err != nil {
		return nil, fmt.Errorf("kafka: passwords of users: %w", err)
	}
	for _, a := range altered.Sorted() {
		if a.Err != nil {
			err = errors.Join(err, fmt.Errorf("kafka: password of %s: %w: %s", a.User, a.Err, a.ErrMessage))
		}
	}
	if err != nil {
		return nil, err
	}
	there, err := rules(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("kafka: rights of users: %w", err)
	}
	var add, remove []rule
	for _, u := range users {
		want := u.rules()
		has := func(r rule) bool { return slices.Contains(there, r) }
		add = append(add, slices.DeleteFunc(slices.Clone(want), has)...)
		for _, r := range there {
			if r.principal == u.principal() && !slices.Contains(want, r) {
				remove = append(remove, r)
			}
		}
	}
	if err := permit(ctx, client, add); err != nil {
		return nil, err
	}
	if err := forbid(ctx, client, remove); err != nil {
		return nil, err
	}
	for _, r := range add {
		changes = append(changes, "kafka: "+r.String()+" is allowed")
	}
	for _, r := range remove {
		changes = append(changes, "kafka: "+r.String()+" is no longer allowed")
	}
	return changes, nil
}

// rule is an entry of a broker's access control list that allows something.
type rule struct {
	principal string
	resource  kmsg.ACLResourceType
	pattern   kmsg.ACLResourcePatternType
	name      string
	operation kmsg.ACLOperation
}

func (r rule) String() string {
	return fmt.Sprintf("%s to %v %v %s", r.principal, r.operation, r.resource, r.name)
}

func (u User) principal() string { return "User:" + u.Name }

func (u User) rules() (list []rule) {
	for _, r := range u.Rights {
		pattern := kmsg.ACLResourcePatternTypeLiteral
		if r.Prefix {
			pattern = kmsg.ACLResourcePatternTypePrefixed
		}
		for _, o := range r.Operations {
			if one := (rule{u.principal(), r.Resource, pattern, r.Name, o}); !slices.Contains(list, one) {
				list = append(list, one)
			}
		}
	}
	return list
}

// rules are those that there are, of everybody, that allow something from anywhere.
func rules(ctx context.Context, client *kgo.Client) (list []rule, err error) {
	request := kmsg.NewPtrDescribeACLsRequest()
	request.ResourceType, request.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	request.Operation, request.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAllow
	response, err := request.RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(response.ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	for _, resource := range response.Resources {
		for _, a := range resource.ACLs {
			if a.Host == "*" {
				list = append(list, rule{a.Principal, resource.ResourceType, resource.ResourcePatternType, resource.ResourceName, a.Operation})
			}
		}
	}
	return list, nil
}

func permit(ctx context.Context, client *kgo.Client, list []rule) error {
	if len(list) == 0 {
		return nil
	}
	request := kmsg.NewPtrCreateACLsRequest()
	for _, r := range list {
		c := kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourceName, c.ResourcePatternType = r.resource, r.name, r.pattern
		c.Principal, c.Host, c.Operation, c.PermissionType = r.principal, "*", r.operation, kmsg.ACLPermissionTypeAllow
		request.Creations = append(request.Creations, c)
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("kafka: rights of users: %w", err)
	}
	for i, result := range response.Results {
		err = errors.Join(err, refused(list[i], result.ErrorCode, result.ErrorMessage))
	}
	return err
}

func forbid(ctx context.Context, client *kgo.Client, list []rule) error {
	if len(list) == 0 {
		return nil
	}
	request := kmsg.NewPtrDeleteACLsRequest()
	for _, r := range list {
		f := kmsg.NewDeleteACLsRequestFilter()
		f.ResourceType, f.ResourceName, f.ResourcePatternType = r.resource, &r.name, r.pattern
		f.Principal, f.Host, f.Operation, f.PermissionType = &r.principal, kmsg.StringPtr("*"), r.operation, kmsg.ACLPermissionTypeAllow
		request.Filters = append(request.Filters, f)
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("kafka: rights of users: %w", err)
	}
	for i, result := range response.Results {
		err = errors.Join(err, refused(list[i], result.ErrorCode, result.ErrorMessage))
	}
	return err
}

func refused(r rule, code int16, message *string) error {
	err := kerr.ErrorForCode(code)
	if err == nil {
		return nil
	}
	if message != nil {
		err = fmt.Errorf("%w: %s", err, *message)
	}
	return fmt.Errorf("kafka: the right of %s cannot be changed: %w", r, err)
}
