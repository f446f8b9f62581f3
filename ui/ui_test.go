package ui

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

var build = fstest.MapFS{
	".gitkeep":            {},
	"index.html":          {Data: []byte("<title>page</title>")},
	"index.html.br":       {Data: []byte("page in br")},
	"index.html.gz":       {Data: []byte("page in gzip")},
	"favicon.svg":         {Data: []byte("<svg/>")},
	"assets/app-1a2b.js":  {Data: []byte("console.log(1)")},
	"assets/app-1a2b.css": {Data: []byte("a{}")},
}

func get(t *testing.T, h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestBuiltPage(t *testing.T) {
	h := handler(build)
	for _, c := range []struct {
		path, accept string
		code         int
		body         string
		header       map[string]string
	}{
		{"/", "", 200, "<title>page</title>", map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache", "Vary": "Accept-Encoding", "Content-Encoding": "",
		}},
		{"/", "gzip, deflate, br", 200, "page in br", map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Content-Encoding": "br", "Vary": "Accept-Encoding",
		}},
		{"/", "gzip", 200, "page in gzip", map[string]string{"Content-Encoding": "gzip"}},
		{"/", "br;q=0, *", 200, "page in gzip", map[string]string{"Content-Encoding": "gzip"}},
		{"/", "br;q=0.5, GZIP", 200, "page in gzip", map[string]string{"Content-Encoding": "gzip"}},
		{"/", "br; q=0.1", 200, "page in br", nil},
		{"/", "identity, *;q=0", 200, "<title>page</title>", map[string]string{"Content-Encoding": ""}},
		{"/index.html", "", 200, "<title>page</title>", map[string]string{"Cache-Control": "no-cache"}},
		{"/charts/AAPL", "", 200, "<title>page</title>", map[string]string{"Cache-Control": "no-cache"}},
		{"/symbols/BRK.B", "", 200, "<title>page</title>", nil},
		{"/assets/app-1a2b.js", "br", 200, "console.log(1)", map[string]string{
			"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=31536000, immutable", "Vary": "", "Content-Encoding": "",
		}},
		{"/assets/app-1a2b.css", "", 200, "a{}", map[string]string{"Content-Type": "text/css; charset=utf-8"}},
		{"/favicon.svg", "", 200, "<svg/>", map[string]string{"Content-Type": "image/svg+xml", "Cache-Control": "no-cache"}},
		{"/assets/app-0000.js", "", 404, "/assets/app-0000.js: the page has no such file\n", map[string]string{"Cache-Control": ""}},
		{"/assets/nothing", "", 404, "", nil},
		{"/api/nothing", "", 404, "", nil},
		{"/missing.png", "", 404, "", nil},
		{"/.gitkeep", "", 404, "", nil},
		{"/index.html.br", "", 404, "", nil},
		{"/../ui.go", "", 404, "", nil},
	} {
		w := get(t, h, http.MethodGet, c.path, "Accept-Encoding", c.accept)
		if w.Code != c.code || c.body != "" && w.Body.String() != c.body {
			t.Errorf("GET %s (%s): %d %q, want %d %q", c.path, c.accept, w.Code, w.Body, c.code, c.body)
		}
		for name, want := range c.header {
			if got := w.Header().Get(name); got != want {
				t.Errorf("GET %s (%s): %s is %q, want %q", c.path, c.accept, name, got, want)
			}
		}
	}
}

func TestUnchangedPageIsNotSentAgain(t *testing.T) {
	h := handler(build)
	tag := get(t, h, http.MethodGet, "/").Header().Get("ETag")
	if w := get(t, h, http.MethodGet, "/", "If-None-Match", tag); w.Code != http.StatusNotModified {
		t.Errorf("If-None-Match %s: %d, want 304", tag, w.Code)
	}
	if w := get(t, h, http.MethodGet, "/", "If-None-Match", tag, "Accept-Encoding", "br"); w.Code != 200 {
		t.Errorf("the plain form's ETag matched the br form: %d", w.Code)
	}
}

func TestUnbuiltPageSaysWhatToDo(t *testing.T) {
	h := handler(fstest.MapFS{".gitkeep": {}})
	for _, path := range []string{"/", "/index.html", "/charts/AAPL"} {
		w := get(t, h, http.MethodGet, path)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("GET %s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
		for _, want := range []string{"not built yet", "go tool task ui", "/docs", "/api/stocks"} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("GET %s: the note does not name %q", path, want)
			}
		}
	}
	if w := get(t, h, http.MethodGet, "/assets/app.js"); w.Code != 404 {
		t.Errorf("an asset of a page that is not built: %d, want 404", w.Code)
	}
}

func TestEveryAnswerIsSecured(t *testing.T) {
	for name, h := range map[string]http.Handler{"built": handler(build), "unbuilt": handler(fstest.MapFS{})} {
		for _, path := range []string{"/", "/missing.js"} {
			header := get(t, h, http.MethodGet, path).Header()
			if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") {
				t.Errorf("%s %s: Content-Security-Policy %q", name, path, csp)
			}
			if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") == "" {
				t.Errorf("%s %s: headers %v", name, path, header)
			}
		}
	}
}

func TestOnlyGetAndHead(t *testing.T) {
	h := handler(build)
	if w := get(t, h, http.MethodHead, "/"); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD /: %d, %d bytes", w.Code, w.Body.Len())
	}
	if w := get(t, h, http.MethodPost, "/"); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestEmbeddedPage(t *testing.T) {
	if w := get(t, Handler(), http.MethodGet, "/"); w.Code != 200 {
		t.Errorf("GET /: %d", w.Code)
	} else if Built() == strings.Contains(w.Body.String(), "not built yet") {
		t.Errorf("Built is %v, but the page says otherwise", Built())
	}
}

func TestDocs(t *testing.T) {
	if docsHandler(build) != nil || docsHandler(fstest.MapFS{docs: {}}) != nil {
		t.Error("an explorer that was not built is served")
	}
	h := docsHandler(fstest.MapFS{index: {}, docs: {Data: []byte("explorer")}})
	w := get(t, h, http.MethodGet, "/docs")
	if w.Code != 200 || w.Body.String() != "explorer" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "script-src 'self';") {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
}
