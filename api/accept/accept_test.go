package accept

import (
	"strings"
	"testing"
)

func TestBest(t *testing.T) {
	names := []string{"br", "gzip"}
	for header, want := range map[string]string{
		"":                           "",
		"gzip, deflate, br":          "br",
		"gzip":                       "gzip",
		"GZip":                       "gzip",
		"x-gzip":                     "gzip",
		"br;q=0.5, gzip":             "gzip",
		"br;Q=0.5 ,\tgzip ; q=0.4":   "br",
		"br; q=0.001":                "br",
		"*":                          "br",
		"br;q=0, *":                  "gzip",
		"br;q=0.000, *;q=1.000":      "gzip",
		"identity, *;q=0":            "",
		"identity;q=1, gzip;q=0.5":   "", // it would rather have it as it is
		"identity, gzip":             "gzip",
		"identity;q=0.5, gzip;q=0.8": "gzip",
		"gzip;q=0":                   "",
		"gzip;q=":                    "",
		"gzip;q=NaN":                 "",
		"gzip;q=inf":                 "",
		"gzip;q=0x1p-2":              "",
		"gzip;q=1e-2":                "",
		"gzip;q=1.1":                 "",
		"gzip;q=-1":                  "",
		"gzip;level=1":               "",
		"gzip;q=0.1234":              "",
		"gzippy, b r":                "",
		",, ,gzip,":                  "gzip",
		"deflate\ngzip;q=0.1":        "gzip", // two lines of the header
		"br;q=0\n*;q=0.5":            "gzip",
	} {
		got := ""
		if i := Best(strings.Split(header, "\n"), names...); i >= 0 {
			got = names[i]
		}
		if got != want {
			t.Errorf("Accept-Encoding %q: %q, want %q", header, got, want)
		}
	}
	if got := Best(nil, names...); got != -1 {
		t.Errorf("without a header: %d", got)
	}
}

// Whatever a client sends: an answer, and nothing that it excludes.
func FuzzBest(f *testing.F) {
	f.Add("gzip, br;q=0.5, *;q=0")
	f.Add("br;q=0,*")
	f.Fuzz(func(t *testing.T, header string) {
		if got := Best([]string{header, "br;q=0"}, "br"); got == 0 && !strings.Contains(strings.ToLower(header), "br") {
			t.Errorf("%q: br, which is excluded", header)
		}
		if got := Best([]string{header}, "br", "gzip"); got < -1 || got > 1 {
			t.Errorf("%q: %d", header, got)
		}
	})
}
