package schemas

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/twmb/franz-go/pkg/sr"

	"streamflow"
	"streamflow/infra/secure"
)

// maxReferences bounds what a schema may refer to, directly or not.
const maxReferences = 200

// source is a schema as the registry has it.
type source struct {
	kind  sr.SchemaType
	text  string
	parts []part // what it refers to, each behind what it refers to itself
}

// part is a schema that another one refers to: by a full name in Avro, by the
// path of an import in Protobuf.
type part struct{ name, text string }

// fetch asks for the schema of an id and all that it refers to.
func (r *Registry) fetch(ctx context.Context, id int) (source, error) {
	got, err := r.client.SchemaByID(ctx, id)
	if said(err, sr.ErrSchemaNotFound) {
		return source{}, refuse(streamflow.ReasonNoSchema, "the schema registry has no schema %d; if it was registered late, or in another registry, put it there and replay the value", id)
	}
	if err != nil {
		return source{}, r.away(err)
	}
	s := source{kind: got.Type, text: got.Schema}
	return s, r.refer(ctx, &s, got.References, make(map[string]bool))
}

// refer adds what references refer to. A path or a name is fetched once.
func (r *Registry) refer(ctx context.Context, s *source, references []sr.SchemaReference, seen map[string]bool) error {
	for _, ref := range references {
		if seen[ref.Name] {
			continue
		}
		seen[ref.Name] = true
		if len(seen) > maxReferences {
			return refuse(streamflow.ReasonBadSchema, "the schema refers to more than %d others", maxReferences)
		}
		got, err := r.client.SchemaByVersion(ctx, ref.Subject, ref.Version)
		if said(err, sr.ErrSubjectNotFound) || said(err, sr.ErrVersionNotFound) {
			return refuse(streamflow.ReasonBadSchema, "the schema refers to %.100q, version %d of subject %.100q, which the schema registry does not have", ref.Name, ref.Version, ref.Subject)
		}
		if err != nil {
			return r.away(err)
		}
		if err := r.refer(ctx, s, got.References, seen); err != nil {
			return err
		}
		s.parts = append(s.parts, part{ref.Name, got.Schema.Schema})
	}
	return nil
}

// said reports whether the registry itself has given that answer. A 404 of
// something else, such as a proxy, says nothing about a schema.
func said(err error, what *sr.Error) bool {
	var answer *sr.ResponseError
	return errors.As(err, &answer) && answer.ErrorCode == what.Code
}

// away says why the registry cannot be asked, and what may help.
func (r *Registry) away(err error) error {
	var answer *sr.ResponseError
	if !errors.As(err, &answer) {
		if what := secure.Explain(err, settingTLS); what != "" {
			return fmt.Errorf("schema registry at %s: %w: %s", r.where, err, what)
		}
		return fmt.Errorf("schema registry at %s: %w", r.where, err)
	}
	hint := ""
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = ": check SCHEMA_REGISTRY_USER and SCHEMA_REGISTRY_PASSWORD"
	case http.StatusNotFound:
		hint = ": is SCHEMA_REGISTRY_URL that of a schema registry?"
	}
	return fmt.Errorf("schema registry at %s answers %d %.200q%s", r.where, answer.StatusCode, answer.Error(), hint)
}
