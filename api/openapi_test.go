package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"testing"
)

var update = flag.Bool("update", false, "write ../docs/openapi.json and ../docs/asyncapi.json")

func TestOpenAPIDocument(t *testing.T) {
	const path = "../docs/openapi.json"
	got, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := OpenAPI(); !bytes.Equal(got, again) {
		t.Fatal("two documents of the same code differ")
	}
	keeps(t, path, got, "run go test ./api -run TestOpenAPIDocument -update")
}

func TestOperationsAreDescribed(t *testing.T) {
	text, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID, Summary, Description string
			Tags                              []string
			Responses                         map[string]any
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Paths) < 7 {
		t.Errorf("%d paths", len(doc.Paths))
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			if op.OperationID == "" || op.Summary == "" || op.Description == "" || len(op.Tags) != 1 || len(op.Responses) == 0 {
				t.Errorf("%s %s: %+v", method, path, op)
			}
			if op.Responses["default"] != nil {
				t.Errorf("%s %s: it says \"default\" where it should list its statuses", method, path)
			}
		}
	}
}
