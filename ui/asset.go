package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"strings"

	"streamflow/api/accept"
)

const (
	index = "index.html"

	// Vite puts a hash of the content in the name of what is under assets/.
	hashed   = "assets/"
	forEver  = "public, max-age=31536000, immutable"
	askAgain = "no-cache"
)

// encodings are what the build may have compressed, the smallest first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// asset is one file of the page in each form that it can be sent in.
type asset struct {
	contentType  string
	cacheControl string
	bodies       []body // the compressed ones first, the plain one last
}

type body struct {
	encoding string // of Content-Encoding; "" if plain
	etag     string
	bytes    []byte
}

// choose returns the form that the client likes best, of equals the smallest.
func (a asset) choose(acceptEncoding []string) body {
	plain := len(a.bodies) - 1
	names := make([]string, plain)
	for i, b := range a.bodies[:plain] {
		names[i] = b.encoding
	}
	if i := accept.Best(acceptEncoding, names...); i >= 0 {
		return a.bodies[i]
	}
	return a.bodies[plain]
}

// load reads a build. The files are part of the binary, so one that cannot be
// read is a broken build and no circumstance.
func load(files fs.FS) page {
	p := page{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || hidden(name) || isCompressed(files, name) {
			return err
		}
		file := asset{contentType: contentType(name), cacheControl: askAgain}
		if strings.HasPrefix(name, hashed) {
			file.cacheControl = forEver
		}
		for _, e := range encodings {
			if content, err := fs.ReadFile(files, name+e.suffix); err == nil {
				file.bodies = append(file.bodies, newBody(e.name, content))
			}
		}
		content, err := fs.ReadFile(files, name)
		file.bodies = append(file.bodies, newBody("", content))
		p[name] = file
		return err
	})
	if err != nil {
		panic(fmt.Errorf("ui: the embedded page cannot be read: %w", err))
	}
	return p
}

// hidden files (.gitkeep, .vite) belong to the build and not to the page.
func hidden(name string) bool { return strings.HasPrefix(path.Base(name), ".") }

// isCompressed says whether name is another file's compressed form.
func isCompressed(files fs.FS, name string) bool {
	for _, e := range encodings {
		if original, ok := strings.CutSuffix(name, e.suffix); ok {
			if _, err := fs.Stat(files, original); err == nil {
				return true
			}
		}
	}
	return false
}

func newBody(encoding string, content []byte) body {
	sum := sha256.Sum256(content)
	return body{encoding: encoding, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, bytes: content}
}

// contentTypes are fixed here because mime asks the machine's tables, which differ.
var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".html":  "text/html; charset=utf-8",
	".ico":   "image/x-icon",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".mjs":   "text/javascript; charset=utf-8",
	".png":   "image/png",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

func contentType(name string) string {
	ext := path.Ext(name)
	if known, ok := contentTypes[ext]; ok {
		return known
	}
	if known := mime.TypeByExtension(ext); known != "" {
		return known
	}
	return "application/octet-stream"
}
