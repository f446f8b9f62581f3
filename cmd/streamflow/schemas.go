package main

import (
	"context"
	"time"

	"streamflow"
	"streamflow/infra/schemas"
	"streamflow/infra/secure"
)

// schemaFlags say where the schema registry is, for every command that reads
// what producers have sent.
type schemaFlags struct {
	SchemaURL          []string `name:"schema-registry" help:"Schema registry, for values in the Confluent wire format (Avro, JSON Schema, Protobuf); another URL behind a comma is asked when one is away. If empty, such values are refused." placeholder:"URL" env:"SCHEMA_REGISTRY_URL"`
	SchemaUser         string   `name:"schema-registry-user" help:"User." env:"SCHEMA_REGISTRY_USER"`
	SchemaPassword     string   `name:"schema-registry-password" help:"Password; everybody on the machine can see a flag." env:"SCHEMA_REGISTRY_PASSWORD"`
	SchemaPasswordFile string   `name:"schema-registry-password-file" help:"File that holds it." placeholder:"FILE" env:"SCHEMA_REGISTRY_PASSWORD_FILE"`
	SchemaCA           string   `name:"schema-registry-tls-ca" help:"File of the authorities that sign the registry's certificate, if not those of the system." placeholder:"FILE" env:"SCHEMA_REGISTRY_TLS_CA"`
	SchemaCert         string   `name:"schema-registry-tls-cert" help:"File of our own certificate, for a registry that wants one." placeholder:"FILE" env:"SCHEMA_REGISTRY_TLS_CERT"`
	SchemaKey          string   `name:"schema-registry-tls-key" help:"File of its private key." placeholder:"FILE" env:"SCHEMA_REGISTRY_TLS_KEY"`
}

var tickMembers = streamflow.TickRoute("").Members

// registryOfSchemas is joined to the registry, which need not be there yet.
func (f schemaFlags) registryOfSchemas() (*schemas.Registry, error) {
	c := schemas.Config{
		User: f.SchemaUser, Password: secure.Secret{Value: f.SchemaPassword, File: f.SchemaPasswordFile},
		Files: secure.TLS{CA: f.SchemaCA, Cert: f.SchemaCert, Key: f.SchemaKey},
	}
	for _, u := range f.SchemaURL {
		if u != "" { // an empty variable
			c.URLs = append(c.URLs, u)
		}
	}
	return schemas.New(c)
}

// route returns the route of a topic; the zero route if it has none.
func (f topicFlags) route(topic string) streamflow.Route {
	switch topic {
	case f.Topic:
		return streamflow.TickRoute(topic)
	case streamflow.TopicEvents:
		return streamflow.EventRoute(topic)
	case streamflow.TopicUserEvents:
		return streamflow.UserEventRoute(topic)
	}
	return streamflow.Route{}
}

// decodeTick reads the value of a record of ticks, framed or not. An error that
// is no [*streamflow.RejectError] says that the schema registry is away.
func decodeTick(ctx context.Context, r *schemas.Registry, value, key []byte, now time.Time) (streamflow.Tick, error) {
	if streamflow.Framed(value) {
		text, err := r.JSON(ctx, value, tickMembers)
		if err != nil {
			return streamflow.Tick{}, err
		}
		value = text
	}
	return streamflow.DecodeTick(value, key, now)
}
