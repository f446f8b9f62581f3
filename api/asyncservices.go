package api

import (
	"reflect"
	"time"

	"streamflow"
)

// service is one endpoint of the NATS service, see infra/jetstream.
type service struct {
	id, address     string
	listed          string // its pattern in the address book
	summary         string
	request, answer reflect.Type // request nil: nothing is read of it
	parameters      []parameter
}

var services = []service{
	{
		id: "last", address: "stocks.{symbol}.last", listed: streamflow.SubjectLastTick, summary: "The newest tick of a symbol",
		answer: reflect.TypeFor[TickIn](), parameters: []parameter{symbolToken},
	},
	{
		id: "candles", address: "stocks.{symbol}.candles.{interval}", listed: streamflow.SubjectServedCandles, summary: "The newest candles of a time, the oldest first",
		request: reflect.TypeFor[CandlesRequest](), answer: reflect.TypeFor[[]CandleMessage](), parameters: []parameter{symbolToken, intervalToken},
	},
	{
		id: "list", address: streamflow.SubjectNewestTicks, listed: streamflow.SubjectNewestTicks, summary: "The newest tick of every symbol, by symbol",
		answer: reflect.TypeFor[[]TickIn](),
	},
}

// CandlesRequest is what may stand in a request for candles over NATS.
type CandlesRequest struct {
	From  *time.Time `json:"from,omitempty" example:"2025-11-21T14:00:00Z" doc:"First start"`
	To    *time.Time `json:"to,omitempty" example:"2025-11-21T15:00:00Z" doc:"First start that is left out; now if it is not given"`
	Limit int        `json:"limit,omitempty" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"At most so many: the newest"`
}

// Names of the micro framework of NATS: its processes share the requests by the
// queue group.
const (
	queueGroup         = "q"
	headerServiceError = "Nats-Service-Error"
	headerServiceCode  = "Nats-Service-Error-Code"
)

var serviceCodes = []string{"400", "404", "500", "503", "504"}

// services describes what is answered over NATS: a request and its reply, which
// goes to the reply subject of the request.
func (a *async) services() {
	a.messages["serviceEmpty"] = object{"name": "serviceEmpty", "summary": "An empty request; what is in it is not read"}
	a.messages["serviceError"] = object{
		"name": "serviceError", "summary": "Why there is no answer; it is empty but for its headers",
		"headers": object{"type": "object", "required": []string{headerServiceError, headerServiceCode}, "properties": object{
			headerServiceError: object{"type": "string", "description": "What is wrong, for a person"},
			headerServiceCode: object{"type": "string", "enum": serviceCodes,
				"description": "400 the request is wrong, 404 nothing is known of the symbol, 503 too many requests at a time, 504 no answer within 4 s, 500 anything else"},
		}},
	}
	for i := range services {
		a.service(&services[i])
	}
}

func (a *async) service(s *service) {
	id, request, answer := "nats.stocks."+s.id, "serviceEmpty", "service."+s.id+".answer"
	a.message(answer, s.summary, s.answer, nil)
	asked := object{request: ref("components", "messages", request)}
	if s.request != nil {
		request = "service." + s.id + ".request"
		a.message(request, "What is asked for", s.request, nil)
		asked[request] = ref("components", "messages", request)
	}
	parameters := object{}
	for _, p := range s.parameters {
		parameters[p.name] = object{"description": p.text, "examples": []string{p.example}}
	}
	a.channels[id] = object{
		"address": s.address, "title": s.summary, "description": "Answered, " + meaning(s.listed),
		"servers": []any{ref("servers", "nats")}, "parameters": parameters, "messages": asked,
	}
	a.channels[id+".reply"] = object{
		"address": nil, "title": "The reply subject of the request", "servers": []any{ref("servers", "nats")},
		"messages": object{answer: ref("components", "messages", answer), "serviceError": ref("components", "messages", "serviceError")},
	}
	a.actions["answer."+s.id] = object{
		"action": "receive", "channel": ref("channels", id), "summary": s.summary,
		"bindings": object{"nats": object{"queue": queueGroup, "bindingVersion": "0.1.0"}},
		"reply": object{
			"channel":  ref("channels", id+".reply"),
			"messages": []any{ref("channels", id+".reply", "messages", answer), ref("channels", id+".reply", "messages", "serviceError")},
		},
	}
}
