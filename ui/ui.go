// Package ui serves the trader's page. Its build (npm run build, or
// `go tool task ui`) is embedded in the binary; where it is missing, a note
// that says how to make it is served instead, so Go always builds without Node.
package ui

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed all:dist
var embedded embed.FS

// dist is the page's build; it holds only .gitkeep until the page is built.
func dist() fs.FS {
	sub, err := fs.Sub(embedded, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path: fs.Sub cannot refuse it
	}
	return sub
}

// Built reports whether the page was built before the binary was.
func Built() bool { return built(dist()) }

func built(files fs.FS) bool {
	_, err := fs.Stat(files, index)
	return err == nil
}

// Handler serves the page: index.html at every path that names no file (the
// page reads the path itself), hashed assets that a browser may keep for ever,
// and what the build compressed in the form that the client accepts. It answers
// GET and HEAD; anything else is a 405.
func Handler() http.Handler { return handler(dist()) }

func handler(files fs.FS) http.Handler {
	var next http.Handler = http.HandlerFunc(serveNote)
	if built(files) {
		next = page(load(files))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, r.Method+" "+r.URL.Path+": the page answers GET and HEAD only; the API is under /api/", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// docs is the page of the docs explorer; Vite makes it beside the page.
const docs = "docs.html"

// Docs serves the docs explorer at whatever path it is asked for, nil if the
// page was not built with it.
func Docs() http.Handler { return docsHandler(dist()) }

func docsHandler(files fs.FS) http.Handler {
	if _, err := fs.Stat(files, docs); err != nil || !built(files) {
		return nil
	}
	p := page{docs: load(files)[docs]} // what it loads, the page's handler serves
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		r = r.Clone(r.Context())
		r.URL.Path = "/" + docs
		p.ServeHTTP(w, r)
	})
}

// page serves a build from memory: it is small, and its names are fixed.
type page map[string]asset

func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	file, ok := p[name]
	if !ok {
		if isFile(name) {
			http.Error(w, "/"+name+": the page has no such file", http.StatusNotFound)
			return
		}
		file = p[index]
	}
	body := file.choose(r.Header.Values("Accept-Encoding"))
	h := w.Header()
	h.Set("Content-Type", file.contentType)
	h.Set("Cache-Control", file.cacheControl)
	h.Set("ETag", body.etag)
	if len(file.bodies) > 1 {
		h.Set("Vary", "Accept-Encoding")
	}
	if body.encoding != "" {
		h.Set("Content-Encoding", body.encoding)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body.bytes))
}

// isFile tells paths that must name a file from those that the page reads: a
// mistyped asset or API address must not be answered with HTML and a 200.
func isFile(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return first == "api" || first == "assets" || extension(name)
}

// extension reports whether name ends as files do (.png, .json). A symbol in a
// path is none: /symbols/BRK.B is the page's.
func extension(name string) bool {
	ext := strings.TrimPrefix(path.Ext(name), ".")
	return ext != "" && strings.Trim(ext, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

func serveNote(w http.ResponseWriter, r *http.Request) {
	if name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/"); isFile(name) && name != index {
		http.Error(w, "/"+name+": not found; the page is not built yet: run `go tool task ui`", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(note))
}

const note = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>StreamFlow</title>
</head>
<body>
<main>
<h1>StreamFlow</h1>
<p>The page is not built yet: run <code>go tool task ui</code> and build the binary again.</p>
<p>All else works: the API docs are at <a href="/docs">/docs</a>, the API is at <a href="/api/stocks">/api/stocks</a>.</p>
</main>
</body>
</html>
`
