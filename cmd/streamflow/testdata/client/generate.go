// Package streamflow is the client that oapi-codegen generates from
// docs/openapi.json, with a test that takes it round a running system. Nothing
// of it but this stands in the repository: clients_test.go of cmd/streamflow
// generates, compiles and runs it, in a copy of this directory.
package streamflow

//go:generate go tool oapi-codegen -generate types,client -package streamflow -o client.gen.go openapi.json
