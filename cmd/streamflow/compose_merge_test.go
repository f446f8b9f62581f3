package main

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// How one compose file goes over another, as the Compose Specification has it,
// for what our files use of it: `go tool task compose:check` holds them against
// the reference.

// overridden takes the place of what was there, reset takes it away.
type (
	overridden struct{ value any }
	reset      struct{}
)

// composeValue reads a node with its aliases, merge keys and tags.
func composeValue(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch {
	case n.Kind == yaml.AliasNode:
		return composeValue(t, n.Alias)
	case n.Tag == "!reset":
		return reset{}
	}
	var value any
	switch n.Kind {
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, composeValue(t, c))
		}
		value = list
	case yaml.MappingNode:
		m := make(map[string]any)
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Tag != "!!merge" {
				continue
			}
			from := []any{composeValue(t, n.Content[i+1])}
			if list, ok := from[0].([]any); ok {
				from = list
			}
			for _, f := range slices.Backward(from) { // the first wins
				maps.Copy(m, f.(map[string]any))
			}
		}
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Tag != "!!merge" {
				m[n.Content[i].Value] = composeValue(t, n.Content[i+1])
			}
		}
		value = m
	default:
		if err := n.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	if n.Tag == "!override" {
		return overridden{value}
	}
	return value
}

// mergeCompose puts over on top of base.
func mergeCompose(base, over any) any { return mergeAt("", base, over) }

func mergeAt(key string, base, over any) any {
	switch o := over.(type) {
	case overridden:
		return o.value
	case map[string]any:
		b, ok := base.(map[string]any)
		if !ok {
			b = map[string]any{}
		}
		b = maps.Clone(b)
		for k, v := range o {
			if _, gone := v.(reset); gone {
				delete(b, k)
				continue
			}
			b[k] = mergeAt(k, b[k], v)
		}
		return b
	case []any:
		b, ok := base.([]any)
		if !ok || slices.Contains([]string{"command", "entrypoint", "test"}, key) {
			return o
		}
		b = slices.Clone(b)
		for _, v := range o {
			if !slices.ContainsFunc(b, func(have any) bool { return fmt.Sprint(have) == fmt.Sprint(v) }) {
				b = append(b, v)
			}
		}
		return b
	}
	return over
}
