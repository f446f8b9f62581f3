package api

import (
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"streamflow/api/live"
)

// apiVersion is the version of the interface, not of the program.
const apiVersion = "1.0.0"

const description = `Real-time stock ticks: what every stock does now, its stored ticks, candles and indicators, the rules that raise
alerts, and a websocket of what is committed.

Times are RFC 3339 in UTC. Errors are problems of RFC 9457 that name the field at fault. A symbol that holds "/" or
another character of paths is written percent-encoded: BTC/USD is BTC%2FUSD.`

// newAPI registers the operations on mux. s may be the zero Server where only
// the document is wanted.
func newAPI(mux humago.Mux, s *Server) huma.API {
	c := huma.DefaultConfig("StreamFlow", apiVersion)
	c.Info.Description = description
	c.ExternalDocs = &huma.ExternalDocs{Description: "The websocket, the subjects in JetStream and the NATS services, as AsyncAPI", URL: "/asyncapi.json"}
	c.CreateHooks = nil // no "$schema" in our bodies
	// huma's own handlers build the document on first use, without a lock; and
	// its docs page loads from other hosts.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.RejectUnknownQueryParameters = true
	c.Transformers = append(c.Transformers, timesInWords)
	c.Tags = []*huma.Tag{
		{Name: "stocks", Description: "Stocks and their ticks"},
		{Name: "candles", Description: "Candles, indicators and comparisons"},
		{Name: "rules", Description: "The rules of alerts"},
		{Name: "alerts", Description: "Alerts that were raised"},
		{Name: "functions", Description: "The functions that work on ticks and events"},
		{Name: "pipeline", Description: "How the system runs, and the way of one message"},
		{Name: "dead letters", Description: "What was refused"},
		{Name: "events", Description: "Events, and what functions say about them"},
		{Name: "live", Description: "Committed ticks as they come"},
		{Name: "server", Description: "Is it alive, is it ready, what does it measure"},
	}
	api := humago.New(mux, c)
	api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		ctx.SetHeader("Cache-Control", "no-store")
		ctx.SetHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next(ctx)
	})
	api.UseMiddleware(onlyOnce(api))
	s.registerHealth(api)
	s.registerReady(api)
	s.registerStocks(api)
	s.registerTicks(api)
	s.registerMarket(api)
	s.registerOperations(api)
	describeOthers(api.OpenAPI())
	return api
}

// get describes an operation. errors are the statuses that it may answer
// beside 422, which every one has for parameters that it does not know, and 500.
func get(id, path, tag, summary, description string, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{tag},
		Summary: summary, Description: description, Errors: append(slices.Clone(errors), http.StatusUnprocessableEntity),
	}
}

// describeOthers adds what huma does not serve itself.
func describeOthers(doc *huma.OpenAPI) {
	metrics := get("get-metrics", "/metrics", "server", "Metrics", "What the server measures, in the text format of Prometheus.")
	metrics.Responses = map[string]*huma.Response{"200": {
		Description: "OK", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	doc.AddOperation(&metrics)
	ws := get("open-websocket", "/ws", "live", "Committed messages as they come", live.Description)
	ws.Responses = map[string]*huma.Response{
		"101": {Description: "The connection is a websocket"},
		"403": {Description: "The origin may not open a websocket"},
		"503": {Description: "The server is stopping, or full"},
	}
	doc.AddOperation(&ws)
}
