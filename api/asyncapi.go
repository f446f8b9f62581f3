package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
	"streamflow/api/live"
)

// object is a JSON object; encoding/json writes its members in their order.
type object = map[string]any

// async makes the AsyncAPI document.
type async struct {
	schemas  huma.Registry
	messages object
	channels object
	actions  object // operations
}

// AsyncAPI returns the AsyncAPI 3 document of the websocket, of the subjects in
// JetStream and of the NATS services as indented JSON. Its subjects, streams and headers are those of
// the address book. Equal code gives equal bytes.
func AsyncAPI() ([]byte, error) {
	a := &async{
		schemas:  huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
		messages: object{}, channels: object{}, actions: object{},
	}
	a.websocket()
	for _, s := range subjects {
		a.subject(s)
	}
	a.services()
	doc := object{
		"asyncapi": "3.0.0",
		"info": object{
			"title": "StreamFlow", "version": apiVersion, "license": object{"name": "MIT"},
			"description": "What StreamFlow sends as it happens: on the websocket, and on the subjects of NATS JetStream behind it. " +
				"Both speak of the same subjects. And what is answered over NATS. The REST API is in /openapi.json.",
		},
		"defaultContentType": "application/json",
		"servers": object{
			"api":  object{"host": "127.0.0.1:8080", "protocol": "ws", "description": "`streamflow api`, or `up`", "security": []any{object{"$ref": "#/components/securitySchemes/" + scheme}}},
			"nats": object{"host": "127.0.0.1:4222", "protocol": "nats", "description": "NATS with JetStream"},
		},
		"channels": a.channels, "operations": a.actions,
		"components": object{
			"messages": a.messages, "schemas": a.schemas,
			"securitySchemes": object{scheme: object{
				"type": "http", "scheme": "bearer", "description": "An API key of scope read; none is needed on loopback. `streamflow keys create NAME --scope read` makes one.",
			}},
		},
	}
	return indented(doc)
}

func indented(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the AsyncAPI document: %w", err)
	}
	return out.Bytes(), nil
}

func ref(path ...string) object {
	for i, p := range path {
		path[i] = strings.NewReplacer("~", "~0", "/", "~1").Replace(p)
	}
	return object{"$ref": "#/" + strings.Join(path, "/")}
}

// schema returns the schema of a Go type, or any JSON value for nil.
func (a *async) schema(t reflect.Type) *huma.Schema {
	if t == nil {
		return &huma.Schema{Description: "Any JSON value"}
	}
	return a.schemas.Schema(t, true, "")
}

// message adds a message with an example of itself.
func (a *async) message(name, summary string, t reflect.Type, headers any) {
	s := a.schema(t)
	m := object{"name": name, "summary": summary, "payload": s}
	if e := (examples{a.schemas}).of(s, 0); e != nil {
		m["examples"] = []any{object{"name": name, "payload": e}}
	}
	if headers != nil {
		m["headers"] = headers
	}
	a.messages[name] = m
}

// websocket describes /ws.
func (a *async) websocket() {
	messages, sent, received := object{}, []any{}, []any{}
	for _, m := range wireMessages {
		a.message(m.name, m.summary, m.payload, nil)
		messages[m.name] = ref("components", "messages", m.name)
		link := ref("channels", "websocket", "messages", m.name)
		if m.ofClient {
			received = append(received, link)
		} else {
			sent = append(sent, link)
		}
	}
	a.channels["websocket"] = object{
		"address": "/ws", "title": "The websocket", "description": live.Description, "servers": []any{ref("servers", "api")}, "messages": messages,
		"bindings": object{"ws": object{"method": "GET", "bindingVersion": "0.1.0"}},
	}
	a.actions["sendToClient"] = object{"action": "send", "channel": ref("channels", "websocket"), "summary": "What the server says", "messages": sent}
	a.actions["receiveFromClient"] = object{"action": "receive", "channel": ref("channels", "websocket"), "summary": "What a client says", "messages": received}
}

// subject describes one kind of subject in JetStream.
func (a *async) subject(s subject) {
	name, id := strings.ToUpper(s.id[:1])+s.id[1:], "nats."+s.id
	a.message(name, s.summary, s.payload, a.headers(s.headers))
	parameters := object{}
	for _, p := range s.parameters {
		parameters[p.name] = object{"description": p.text, "examples": []string{p.example}}
	}
	a.channels[id] = object{
		"address": s.address, "title": s.summary, "description": "Stream `" + s.stream + "`: " + meaning(s.listed),
		"servers": []any{ref("servers", "nats")}, "parameters": parameters, "messages": object{name: ref("components", "messages", name)},
	}
	a.actions["publish."+s.id] = object{
		"action": "send", "channel": ref("channels", id), "summary": s.writer, "messages": []any{ref("channels", id, "messages", name)},
	}
}

// headers describes the headers of a message, by the address book.
func (a *async) headers(names []string) any {
	if len(names) == 0 {
		return nil
	}
	properties := object{}
	for _, n := range names {
		for _, address := range streamflow.Flow.Addresses {
			if address.Kind == streamflow.KindHeader && address.Name == n {
				properties[n] = object{"type": "string", "description": address.Meaning}
			}
		}
	}
	return object{"type": "object", "properties": properties}
}

// meaning is what the address book says of a subject, of a stream or a service.
func meaning(subject string) string {
	for _, a := range streamflow.Flow.Addresses {
		if (a.Kind == streamflow.KindSubject || a.Kind == streamflow.KindRequest) && a.Name == subject {
			return a.Meaning
		}
	}
	return ""
}
