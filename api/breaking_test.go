package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// breaking lists what a client of one document would miss or be refused in the
// next, in words: what was taken away (an operation, an answer, a field, a value
// of an enum, a message), what is asked for anew, and what has another type.
func breaking(was, now []byte) ([]string, error) {
	var a, b any
	if err := json.Unmarshal(was, &a); err != nil {
		return nil, fmt.Errorf("the document as it was: %w", err)
	}
	if err := json.Unmarshal(now, &b); err != nil {
		return nil, fmt.Errorf("the document as it is: %w", err)
	}
	c := &comparison{was: a, now: b}
	c.walk("", a, b)
	slices.Sort(c.found)
	return c.found, nil
}

type comparison struct {
	was, now any
	found    []string
}

func (c *comparison) say(path, format string, args ...any) {
	c.found = append(c.found, strings.TrimPrefix(path, " > ")+": "+fmt.Sprintf(format, args...))
}

// words are members that are for people, or that say nothing about what is sent.
var words = []string{"description", "summary", "title", "example", "examples", "default", "tags", "doc"}

func (c *comparison) walk(path string, was, now any) {
	switch was := was.(type) {
	case map[string]any:
		now, ok := now.(map[string]any)
		if !ok {
			c.say(path, "is gone")
			return
		}
		c.object(path, was, now)
	case []any:
		now, _ := now.([]any)
		c.list(path, was, now)
	default:
		c.leaf(path, was, now)
	}
}

func (c *comparison) object(path string, was, now map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if slices.Contains(words, name) && !strings.HasSuffix(path, " > properties") {
			continue
		}
		next, ok := now[name]
		at := path + " > " + name
		switch {
		case ok && name == "parameters":
			c.parameters(at, was[name], next)
		case ok:
			c.walk(at, was[name], next)
		case slices.Contains(holders, last(path)):
			c.say(at, "was taken away")
		case name == "type", name == "$ref":
			c.say(at, "was %v and is left open", was[name])
		}
	}
	c.demands(path, was, now)
}

// holders are members whose members are what clients know by name.
var holders = []string{"paths", "properties", "responses", "content", "schemas", "messages", "channels", "operations", "servers", "headers",
	"get", "put", "post", "patch", "delete"}

func last(path string) string {
	name := path[strings.LastIndex(path, " > ")+1:]
	name = strings.TrimPrefix(name, "> ")
	if strings.HasPrefix(name, "/") {
		return "paths" // the methods of a path
	}
	return name
}

// demands says what is required now and was not.
func (c *comparison) demands(path string, was, now map[string]any) {
	before, _ := was["required"].([]any)
	after, ok := now["required"].([]any)
	if !ok || was["properties"] == nil {
		return
	}
	for _, name := range after {
		if !slices.Contains(before, name) {
			c.say(path, "%v is required now", name)
		}
	}
}

// list compares lists of names: of enums, of what is required.
func (c *comparison) list(path string, was, now []any) {
	if name := last(path); name != "enum" && name != "type" {
		return
	}
	for _, v := range was {
		if !slices.Contains(now, v) {
			c.say(path, "%v was taken away", v)
		}
	}
}

// parameters compares them by name; of AsyncAPI they are an object.
func (c *comparison) parameters(path string, was, now any) {
	if _, isObject := was.(map[string]any); isObject {
		c.walk(path, was, now)
		return
	}
	by := func(list any) map[string]map[string]any {
		all := map[string]map[string]any{}
		items, _ := list.([]any)
		for _, item := range items {
			p, _ := item.(map[string]any)
			all[fmt.Sprintf("%v %v", p["in"], p["name"])] = p
		}
		return all
	}
	a, b := by(was), by(now)
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if b[name] == nil {
			c.say(path+" > "+name, "was taken away")
			continue
		}
		c.walk(path+" > "+name, a[name], b[name])
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if b[name]["required"] == true && (a[name] == nil || a[name]["required"] != true) {
			c.say(path+" > "+name, "is required now")
		}
	}
}

// limits are leaves that a client may run into when they change.
var limits = map[string]bool{"type": true, "format": true, "$ref": true, "operationId": true, "pattern": true, "address": true, "action": true, "in": true}

// tighter says of a bound whether smaller (-1) or larger (+1) values of it refuse more.
var tighter = map[string]float64{"maximum": -1, "exclusiveMaximum": -1, "maxLength": -1, "maxItems": -1, "minimum": 1, "exclusiveMinimum": 1, "minLength": 1, "minItems": 1}

func (c *comparison) leaf(path string, was, now any) {
	name := last(path)
	a, isNumber := was.(float64)
	b, still := now.(float64)
	switch {
	case isNumber && still && tighter[name] != 0 && (b-a)*tighter[name] > 0:
		c.say(path, "was %v and is %v, which refuses more", was, now)
	case limits[name] && was != now:
		c.say(path, "was %v and is %v", was, now)
	}
}

// keeps holds a document against its file. A breaking change is told in words,
// so that nobody updates the file without having read them.
func keeps(t *testing.T, path string, got []byte, how string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) == string(want) {
		return
	}
	changes, err := breaking(want, got)
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) > 0 {
		t.Errorf("%s: the code BREAKS its clients:\n  %s\nIf that is meant, %s, and say so in the change.", path, strings.Join(changes, "\n  "), how)
		return
	}
	t.Errorf("%s differs from the code, and breaks no client: %s", path, how)
}

func TestAsyncAPIDocument(t *testing.T) {
	got, err := AsyncAPI()
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := AsyncAPI(); string(got) != string(again) {
		t.Fatal("two documents of the same code differ")
	}
	keeps(t, "../docs/asyncapi.json", got, "run go test ./api -run TestAsyncAPIDocument -update")
}

// The comparison must find what breaks clients, and nothing else.
func TestBreakingChanges(t *testing.T) {
	openapi, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	asyncapi, err := AsyncAPI()
	if err != nil {
		t.Fatal(err)
	}
	at := func(v any, path ...string) map[string]any {
		for _, p := range path {
			v = v.(map[string]any)[p]
		}
		return v.(map[string]any)
	}
	for _, c := range []struct {
		doc  []byte
		edit func(v any)
		says string // "" breaks nothing
	}{
		{openapi, func(v any) { delete(at(v, "paths"), "/api/compare") }, "paths > /api/compare: was taken away"},
		{openapi, func(v any) { delete(at(v, "paths", "/api/rules"), "post") }, "paths > /api/rules > post: was taken away"},
		{openapi, func(v any) { delete(at(v, "components", "schemas", "Candle", "properties"), "vwap") }, "Candle > properties > vwap: was taken away"},
		{openapi, func(v any) {
			e := at(v, "components", "schemas", "Alert", "properties", "severity")
			e["enum"] = e["enum"].([]any)[1:]
		}, "severity > enum: info was taken away"},
		{openapi, func(v any) { at(v, "components", "schemas", "Candle", "properties", "volume")["type"] = "string" }, "volume > type: was integer and is string"},
		{openapi, func(v any) {
			s := at(v, "components", "schemas", "FunctionPatchBody")
			s["required"] = []any{"state"}
		}, "state is required now"},
		{openapi, func(v any) {
			o := at(v, "paths", "/api/alerts", "get")
			o["parameters"] = o["parameters"].([]any)[1:]
		}, "query symbol: was taken away"},
		{openapi, func(v any) {
			o := at(v, "paths", "/api/alerts", "get")
			o["parameters"].([]any)[0].(map[string]any)["required"] = true
		}, "query symbol: is required now"},
		{openapi, func(v any) { delete(at(v, "paths", "/api/rules", "post", "responses"), "201") }, "responses > 201: was taken away"},
		{openapi, func(v any) { at(v, "info")["description"] = "new" }, ""},
		{openapi, func(v any) { at(v, "paths")["/api/new"] = map[string]any{} }, ""},
		{openapi, func(v any) {
			at(v, "components", "schemas", "Candle", "properties")["new"] = map[string]any{"type": "string"}
		}, ""},
		{asyncapi, func(v any) { delete(at(v, "components", "messages"), "heartbeat") }, "messages > heartbeat: was taken away"},
		{asyncapi, func(v any) { at(v, "channels", "nats.tick")["address"] = "t.{symbol}" }, "address: was ticks.{symbol} and is t.{symbol}"},
		{asyncapi, func(v any) { delete(at(v, "channels"), "nats.alert") }, "channels > nats.alert: was taken away"},
	} {
		var v any
		if err := json.Unmarshal(c.doc, &v); err != nil {
			t.Fatal(err)
		}
		c.edit(v)
		now, _ := json.Marshal(v)
		found, err := breaking(c.doc, now)
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(found, "\n")
		if (c.says == "") != (len(found) == 0) || !strings.Contains(all, c.says) {
			t.Errorf("want %q, got %q", c.says, all)
		}
	}
}
