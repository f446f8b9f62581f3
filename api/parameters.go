package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// onlyOnce refuses a parameter that stands in the query more than once, unless it
// is a list that is written so: huma takes the first and says nothing of the
// others, so ?symbols=AAPL&symbols=MSFT would be answered without MSFT.
func onlyOnce(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		u := ctx.URL()
		var faults []error
		query := u.Query()
		for _, p := range ctx.Operation().Parameters {
			if p.In != "query" || len(query[p.Name]) < 2 || p.Explode == nil && p.Schema.Type == huma.TypeArray || p.Explode != nil && *p.Explode {
				continue
			}
			message := "it stands there more than once"
			if p.Schema.Type == huma.TypeArray {
				message += ": write one, with commas between its values"
			}
			faults = append(faults, &huma.ErrorDetail{Location: "query." + p.Name, Message: message, Value: strings.Join(query[p.Name], " ")})
		}
		if len(faults) > 0 {
			_ = huma.WriteErr(api, ctx, http.StatusUnprocessableEntity, "validation failed", faults...)
			return
		}
		next(ctx)
	}
}

// timesInWords says what a time looks like, where huma names a layout of Go's.
func timesInWords(_ huma.Context, _ string, v any) (any, error) {
	problem, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	for i, d := range problem.Errors {
		if strings.HasPrefix(d.Message, "invalid date/time for format ") {
			problem.Errors = slices.Clone(problem.Errors)
			problem.Errors[i] = &huma.ErrorDetail{Location: d.Location, Value: d.Value, Message: "no time: want one such as 2025-01-02T15:04:05Z (RFC 3339)"}
		}
	}
	return problem, nil
}
