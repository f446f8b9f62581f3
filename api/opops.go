package api

import (
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// registerOperations adds what shows how the system runs and what changes it:
// functions, the pipeline, the way of a tick, dead letters, events, ticks in.
func (s *Server) registerOperations(api huma.API) {
	s.registerFunctions(api)
	s.registerPipeline(api)
	s.registerJourney(api)
	s.registerLetters(api)
	s.registerEvents(api)
	s.registerTicksIn(api)
}

// errorsOfServers are the statuses that a look at another server may end with.
var errorsOfServers = []int{http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// JSONValue is any JSON value, as it stands.
type JSONValue json.RawMessage

// MarshalJSON returns the value.
func (v JSONValue) MarshalJSON() ([]byte, error) {
	if len(v) == 0 {
		return []byte("null"), nil
	}
	return v, nil
}

// UnmarshalJSON keeps the value.
func (v *JSONValue) UnmarshalJSON(data []byte) error {
	*v = append((*v)[:0], data...)
	return nil
}

// Schema allows anything.
func (JSONValue) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "Any JSON value"}
}

// JSONObject is a JSON object, as it stands, or null.
type JSONObject json.RawMessage

// MarshalJSON returns the object.
func (v JSONObject) MarshalJSON() ([]byte, error) { return JSONValue(v).MarshalJSON() }

// UnmarshalJSON keeps the object.
func (v *JSONObject) UnmarshalJSON(data []byte) error { return (*JSONValue)(v).UnmarshalJSON(data) }

// Schema allows any members.
func (JSONObject) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: true}
}

// jsonOf is data if it is JSON, else a JSON string of it: an answer must never
// be broken by what somebody has put into a stream.
func jsonOf(data []byte) JSONValue {
	if json.Valid(data) {
		return data
	}
	text, _ := json.Marshal(string(data))
	return text
}
