package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"

	"streamflow"
	"streamflow/infra/kafka"
	"streamflow/infra/postgres"
	"streamflow/infra/postgres/roles"
)

type secureApplyCmd struct {
	kafkaFlags
	natsFlags
	postgresFlags
	layout
	Group             string `help:"Kafka consumer group of the bridges." default:"${group}" env:"CONSUMER_GROUP"`
	Users             string `help:"File of the parts' passwords, of \"secure init\"." placeholder:"FILE" required:"" env:"SECURE_USERS_FILE"`
	Key               string `name:"api-key" help:"File of the API's first key, of \"secure init\"." placeholder:"FILE" required:"" env:"SECURE_API_KEY_FILE"`
	Superuser         string `name:"database-superuser" help:"Superuser of the database, who makes the roles." default:"streamflow" env:"DATABASE_SUPERUSER"`
	SuperuserPassword string `name:"database-superuser-password-file" help:"File of its password." placeholder:"FILE" required:"" env:"DATABASE_SUPERUSER_PASSWORD_FILE"`
}

// Help is shown by --help.
func (secureApplyCmd) Help() string {
	return `Gives Kafka the parts' passwords (SCRAM) and rights (ACLs), the database their roles, makes topics, streams and tables as "topics" does, as admin, and grants each part its rights on tables. May be run at any time, and must be after each upgrade and when a password was changed. NATS has its users from its configuration.

It comes to Kafka as a superuser of its brokers (by KAFKA_TLS_CERT in docker-compose.secure.yml), to NATS and the database as admin.`
}

// Run makes it so, and reports.
func (c *secureApplyCmd) Run(ctx context.Context, log *slog.Logger) error {
	stages := append(guardedStages(c.topicFlags, c.Group), streamflow.Stage{Name: partAdmin})
	passwords, err := readUsers(c.Users, stages)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return fmt.Errorf("SECURE_API_KEY_FILE: %w", err)
	}
	s := servers{kafkaFlags: c.kafkaFlags, natsFlags: c.natsFlags, postgresFlags: c.postgresFlags}
	changes, err := c.users(ctx, s, stages, passwords, log)
	if err == nil {
		var more []string
		more, err = c.ensure(ctx, s, log)
		changes = append(changes, more...)
	}
	for _, change := range changes {
		fmt.Println(change)
	}
	if err == nil {
		err = grant(ctx, s, stages, strings.TrimSpace(string(key)), log)
	}
	if err == nil {
		fmt.Printf("%d parts have their users and rights\n", len(stages))
	}
	return err
}

// users gives Kafka and the database their users.
func (c *secureApplyCmd) users(ctx context.Context, s servers, stages []streamflow.Stage, passwords map[string]string, log *slog.Logger) ([]string, error) {
	var users []kafka.User
	var others []roles.Role
	for _, stage := range stages {
		users = append(users, kafka.User{Name: stage.Name, Password: passwords[stage.Name], Rights: kafka.Rights(stage)})
		if len(postgres.Rights(stage)) > 0 {
			others = append(others, roles.Role{Name: stage.Name, Password: passwords[stage.Name]})
		}
	}
	client, err := kafka.Connect(ctx, s.config("secure", log))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	changes, err := kafka.EnsureUsers(ctx, client, users)
	if err != nil {
		return changes, err
	}
	database, err := c.superuser()
	if err != nil {
		return changes, err
	}
	db, err := postgres.Connect(ctx, database) // its errors say what to do, and no password
	if err != nil {
		return changes, err
	}
	db.Close()
	if err := roles.Ensure(ctx, database, roles.Role{Name: partAdmin, Password: passwords[partAdmin]}, others); err != nil {
		return changes, fmt.Errorf("roles of the database: %w", err)
	}
	return changes, nil
}

// superuser is the database as its superuser sees it.
func (c *secureApplyCmd) superuser() (string, error) {
	u, err := url.Parse(c.Database)
	if err != nil || u.Host == "" {
		return "", errors.New("DATABASE_URL: want the form postgres://admin@HOST/DATABASE")
	}
	u.User = url.User(c.Superuser)
	text, err := passwordFlags{c.SuperuserPassword}.into(u.String())
	if err != nil {
		return "", fmt.Errorf("DATABASE_SUPERUSER_PASSWORD_FILE %s: %w", c.SuperuserPassword, err)
	}
	return text, nil
}

// readUsers reads the passwords of the parts, of which none may be missing.
func readUsers(file string, stages []streamflow.Stage) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("SECURE_USERS_FILE: %w", err)
	}
	passwords := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if name, password, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			passwords[name] = password
		}
	}
	missing := slices.DeleteFunc(slices.Clone(stages), func(s streamflow.Stage) bool { return passwords[s.Name] != "" })
	if len(missing) > 0 {
		return nil, fmt.Errorf("SECURE_USERS_FILE %s: there is no password of %s: run `streamflow secure init` again", file, missing[0].Name)
	}
	return passwords, nil
}
