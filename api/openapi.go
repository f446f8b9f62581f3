package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// OpenAPI returns the OpenAPI 3.1 document of the API as indented JSON, without
// a server. Equal code gives equal bytes.
func OpenAPI() ([]byte, error) {
	return documentJSON(newDocument(http.NewServeMux(), &Server{}).OpenAPI())
}

func documentJSON(doc *huma.OpenAPI) ([]byte, error) {
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode the OpenAPI document: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return nil, fmt.Errorf("indent the OpenAPI document: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// documents serve the OpenAPI document in its forms, made once.
type documents struct {
	json, yaml, async, page http.Handler
}

func newDocuments(doc *huma.OpenAPI) (documents, error) {
	asJSON, err := documentJSON(doc)
	if err != nil {
		return documents{}, err
	}
	asYAML, err := doc.YAML()
	if err != nil {
		return documents{}, fmt.Errorf("encode the OpenAPI document as YAML: %w", err)
	}
	async, err := AsyncAPI()
	if err != nil {
		return documents{}, err
	}
	page, err := docsPage(doc)
	if err != nil {
		return documents{}, err
	}
	return documents{
		json:  content("application/openapi+json", asJSON),
		yaml:  content("application/openapi+yaml", asYAML),
		async: content("application/asyncapi+json", async),
		page:  page,
	}, nil
}

// content serves the same bytes to everybody, and to nobody twice. The tag is a
// weak one, for the bytes may be compressed on their way.
func content(mediaType string, body []byte) http.Handler {
	sum := sha256.Sum256(body)
	tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

// operations lists the operations of a document by path, then by name.
func operations(doc *huma.OpenAPI) []*huma.Operation {
	var ops []*huma.Operation
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				ops = append(ops, op)
			}
		}
	}
	slices.SortStableFunc(ops, func(a, b *huma.Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.OperationID, b.OperationID))
	})
	return ops
}

// operationNames maps the patterns of the mux to the names that metrics use.
func operationNames(doc *huma.OpenAPI) map[string]string {
	names := map[string]string{
		"GET /openapi.json": "get-openapi", "GET /openapi.yaml": "get-openapi", "GET /asyncapi.json": "get-asyncapi",
		"GET /docs": "get-docs", "GET /docs/plain": "get-docs",
	}
	for _, op := range operations(doc) {
		names[op.Method+" "+op.Path] = op.OperationID
	}
	return names
}
