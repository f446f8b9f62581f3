package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// apiVersion is the version of the interface, not of the program.
const apiVersion = "1.0.0"

const description = `Real-time stock ticks: what every stock does now, its stored ticks, and a websocket of committed ticks.

Times are RFC 3339 in UTC. Errors are problems of RFC 9457 that name the field at fault. A symbol that holds "/" or
another character of paths is written percent-encoded: BTC/USD is BTC%2FUSD.`

// newAPI registers the operations on mux. s may be the zero Server where only
// the document is wanted.
func newAPI(mux humago.Mux, s *Server) huma.API {
	c := huma.DefaultConfig("StreamFlow", apiVersion)
	c.Info.Description = description
	c.CreateHooks = nil // no "$schema" in our bodies
	// huma's own handlers build the document on first use, without a lock; and
	// its docs page loads from other hosts.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.RejectUnknownQueryParameters = true
	c.Tags = []*huma.Tag{
		{Name: "stocks", Description: "Stocks and their ticks"},
		{Name: "live", Description: "Committed ticks as they come"},
		{Name: "server", Description: "Is it alive, is it ready, what does it measure"},
	}
	api := humago.New(mux, c)
	api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		ctx.SetHeader("Cache-Control", "no-store")
		ctx.SetHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next(ctx)
	})
	s.registerHealth(api)
	s.registerReady(api)
	s.registerStocks(api)
	s.registerTicks(api)
	describeOthers(api.OpenAPI())
	return api
}

// get describes an operation. errors are the statuses that it may answer
// beside 422 and 500.
func get(id, path, tag, summary, description string, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{tag},
		Summary: summary, Description: description, Errors: errors,
	}
}

// describeOthers adds what huma does not serve itself.
func describeOthers(doc *huma.OpenAPI) {
	metrics := get("get-metrics", "/metrics", "server", "Metrics", "What the server measures, in the text format of Prometheus.")
	metrics.Responses = map[string]*huma.Response{"200": {
		Description: "OK", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	doc.AddOperation(&metrics)
	ws := get("open-websocket", "/ws", "live", "Committed ticks as they come", wsDescription)
	ws.Responses = map[string]*huma.Response{
		"101": {Description: "The connection is a websocket"},
		"403": {Description: "The origin may not open a websocket"},
		"503": {Description: "The server is stopping, or full"},
	}
	doc.AddOperation(&ws)
}

const wsDescription = `A websocket (RFC 6455). A client sends text messages:

    {"subscribe":["ticks.AAPL","ticks.*"]}
    {"unsubscribe":["ticks.*"]}

Subjects are those of NATS, with its wildcards: ` + "`ticks.AAPL`, `ticks.*`, `ticks.>`, `>`" + `. In a subject every byte of
a symbol beside letters, digits, "-" and "_" is written %XX: BRK.B is ticks.BRK%2EB, BTC/USD is ticks.BTC%2FUSD.

The server answers {"subscribed":[...]} or {"unsubscribed":[...]}, then sends the newest known message of every subject
with "snapshot":true, and then every message as it is committed. The messages of a subject keep their order; none comes
twice, however many subscriptions match:

    {"subject":"ticks.AAPL","seq":123,"data":{"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"..."},
     "hops":{"kafka":1763690000123.400,"bridge":1763690000124.100,"stream":1763690000125.000,"api":1763690000125.300}}

"hops" are the unix milliseconds at which the tick passed each part. A frame is one JSON object, or an array of several
where several wait. {"heartbeat":<unix ms>} comes every 5 s. A client that is too slow gets the newest message of each
subject only, and {"dropped":N}; one that takes nothing for 30 s is closed with 1013. A message that cannot be done is
answered with {"error":{"code":"...","message":"..."}} (bad_subject, bad_message, unknown_field, too_large, too_many) and
the socket stays open; more than 100 errors within 10 s close it with 1008. A message may have 64 KiB, a session 1,000
subscriptions. 1001 says that the server stops: connect again.`
