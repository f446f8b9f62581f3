package api

import (
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// describeExamples gives every parameter, body and answer an example, made of
// those of its fields: whoever opens the explorer sends it as it stands.
func describeExamples(doc *huma.OpenAPI) {
	e := examples{doc.Components.Schemas}
	for _, op := range operations(doc) {
		for _, p := range op.Parameters {
			if p.Example == nil && p.Examples == nil && p.Schema != nil && (p.Required || len(p.Schema.Enum) > 0) {
				p.Example = e.of(p.Schema, 0)
			}
		}
		if op.RequestBody != nil {
			e.fill(op.RequestBody.Content)
		}
		for _, r := range op.Responses {
			e.fill(r.Content)
		}
	}
	for _, r := range doc.Components.Responses {
		e.fill(r.Content)
	}
}

// examples makes examples of schemas.
type examples struct{ schemas huma.Registry }

// fill adds an example to what has none.
func (e examples) fill(content map[string]*huma.MediaType) {
	for media, m := range content {
		if m.Example == nil && m.Examples == nil && m.Schema != nil && strings.HasSuffix(media, "json") {
			m.Example = e.of(m.Schema, 0)
		}
	}
}

// deepest is where schemas that hold themselves are cut off.
const deepest = 8

// of returns an example of a schema.
func (e examples) of(s *huma.Schema, depth int) any {
	for s.Ref != "" {
		s = e.schemas.SchemaFromRef(s.Ref)
	}
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return e.of(s.OneOf[0], depth)
	case depth > deepest:
		return nil
	}
	switch s.Type {
	case huma.TypeObject:
		return e.object(s, depth)
	case huma.TypeArray:
		return []any{e.of(s.Items, depth+1)}
	case huma.TypeString:
		return sampleText(s)
	case huma.TypeBoolean:
		return false
	case huma.TypeInteger, huma.TypeNumber:
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	}
	return nil
}

func (e examples) object(s *huma.Schema, depth int) any {
	object := make(map[string]any, len(s.Properties))
	for name, p := range s.Properties {
		if v := e.of(p, depth+1); v != nil || slices.Contains(s.Required, name) {
			object[name] = v
		}
	}
	if more, ok := s.AdditionalProperties.(*huma.Schema); ok && len(object) == 0 {
		object["name"] = e.of(more, depth+1)
	}
	return object
}

func sampleText(s *huma.Schema) string {
	switch s.Format {
	case "date-time":
		return "2025-11-21T14:30:00Z"
	case "uri":
		return "https://example.com/"
	case "uri-reference":
		return "about:blank"
	}
	return "text"
}
