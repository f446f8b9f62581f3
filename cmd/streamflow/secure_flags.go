package main

import (
	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
	"streamflow/infra/secure"
)

// kafkaSecurity says how Kafka is spoken with, for every command that does.
type kafkaSecurity struct {
	TLS          bool   `name:"kafka-tls" help:"Speak TLS with Kafka; any of the three below says so too." env:"KAFKA_TLS"`
	CA           string `name:"kafka-tls-ca" help:"File of the authorities that sign the brokers' certificates, if not those of the system." placeholder:"FILE" env:"KAFKA_TLS_CA"`
	Cert         string `name:"kafka-tls-cert" help:"File of our own certificate, for brokers that want one." placeholder:"FILE" env:"KAFKA_TLS_CERT"`
	Key          string `name:"kafka-tls-key" help:"File of its private key." placeholder:"FILE" env:"KAFKA_TLS_KEY"`
	Mechanism    string `name:"kafka-sasl-mechanism" help:"SASL: plain, scram-sha-256 or scram-sha-512." env:"KAFKA_SASL_MECHANISM"`
	User         string `name:"kafka-sasl-user" help:"User." env:"KAFKA_SASL_USER"`
	Password     string `name:"kafka-sasl-password" help:"Password; everybody on the machine can see a flag." env:"KAFKA_SASL_PASSWORD"`
	PasswordFile string `name:"kafka-sasl-password-file" help:"File that holds it." placeholder:"FILE" env:"KAFKA_SASL_PASSWORD_FILE"`
}

func (f kafkaSecurity) security() kafka.Security {
	return kafka.Security{
		TLS: f.TLS, Files: secure.TLS{CA: f.CA, Cert: f.Cert, Key: f.Key},
		Mechanism: f.Mechanism, User: f.User, Password: secure.Secret{Value: f.Password, File: f.PasswordFile},
	}
}

// natsSecurity says how NATS is spoken with, for every command that does.
type natsSecurity struct {
	CA           string `name:"nats-tls-ca" help:"File of the authorities that sign the servers' certificates, if not those of the system." placeholder:"FILE" env:"NATS_TLS_CA"`
	Cert         string `name:"nats-tls-cert" help:"File of our own certificate, for servers that want one." placeholder:"FILE" env:"NATS_TLS_CERT"`
	Key          string `name:"nats-tls-key" help:"File of its private key." placeholder:"FILE" env:"NATS_TLS_KEY"`
	Creds        string `name:"nats-creds" help:"Credentials file: a JWT and its seed." placeholder:"FILE" env:"NATS_CREDS"`
	NKey         string `name:"nats-nkey" help:"File that holds the seed of an nkey." placeholder:"FILE" env:"NATS_NKEY"`
	User         string `name:"nats-user" help:"User." env:"NATS_USER"`
	Password     string `name:"nats-password" help:"Password; everybody on the machine can see a flag." env:"NATS_PASSWORD"`
	PasswordFile string `name:"nats-password-file" help:"File that holds it." placeholder:"FILE" env:"NATS_PASSWORD_FILE"`
	InboxPrefix  string `name:"nats-inbox-prefix" help:"Where answers come to, for users that may not subscribe to _INBOX.>." placeholder:"SUBJECT" env:"NATS_INBOX_PREFIX"`
}

func (f natsSecurity) security() jetstream.Security {
	return jetstream.Security{
		Files: secure.TLS{CA: f.CA, Cert: f.Cert, Key: f.Key},
		Creds: f.Creds, NKey: f.NKey, User: f.User, Password: secure.Secret{Value: f.Password, File: f.PasswordFile},
		InboxPrefix: f.InboxPrefix,
	}
}
