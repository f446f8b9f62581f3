package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docspage.html
var docsHTML string

//go:embed docspage.css
var docsCSS string

// docsPage renders the page of GET /docs. It loads nothing: its one style sheet
// is inline and allowed by its hash.
func docsPage(doc *huma.OpenAPI) (http.Handler, error) {
	t, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return nil, fmt.Errorf("read the docs page: %w", err)
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Info": doc.Info, "Operations": operations(doc), "CSS": template.CSS(docsCSS),
	})
	if err != nil {
		return nil, fmt.Errorf("make the docs page: %w", err)
	}
	sum := sha256.Sum256([]byte(docsCSS))
	policy := "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
	body := content("text/html; charset=utf-8", b.Bytes())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Referrer-Policy", "no-referrer")
		body.ServeHTTP(w, r)
	}), nil
}
