package api

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// RuleProblem is a problem of RFC 9457 about a rule.
type RuleProblem struct {
	huma.ErrorModel
	Column int `json:"column,omitempty" minimum:"1" example:"7" doc:"Of a condition that cannot be read: the character at which reading ended, from 1"`
}

// ruleProblem is a 422 about a rule that stands at a place in a body.
func ruleProblem(place string, rule *streamflow.Rule, err error) error {
	var fault *RuleFault
	if !errors.As(err, &fault) {
		fault = &RuleFault{Message: err.Error()}
	}
	detail := &huma.ErrorDetail{Location: place + fault.Field, Message: fault.Message}
	if fault.Field == "when" {
		detail.Value = rule.When
	}
	return &RuleProblem{Column: fault.Column, ErrorModel: huma.ErrorModel{
		Title: http.StatusText(http.StatusUnprocessableEntity), Status: http.StatusUnprocessableEntity,
		Detail: "the rule is no good: " + fault.Error(), Errors: []*huma.ErrorDetail{detail},
	}}
}

// describeFaults says in the document that an operation's 422 may hold a column.
func describeFaults(api huma.API, op huma.Operation) {
	doc := api.OpenAPI()
	item := doc.Paths[op.Path]
	at := item.Post
	if op.Method == http.MethodPut {
		at = item.Put
	}
	schema := doc.Components.Schemas.Schema(reflect.TypeFor[RuleProblem](), true, "RuleProblem")
	at.Responses["422"].Content["application/problem+json"].Schema = schema
}
