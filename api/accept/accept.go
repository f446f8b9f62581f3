// Package accept reads what encodings a client takes. It is the one reader of
// Accept-Encoding, of the API's answers and of the page's files.
package accept

import (
	"strconv"
	"strings"
)

// Best returns the index of the encoding that a client likes best, -1 if it is
// to be sent none. headers are its Accept-Encoding lines (RFC 9110, 12.5.3);
// encodings are lower-case names, the server's favourite first, which wins among
// equals. What is not well formed is not accepted.
func Best(headers []string, encodings ...string) int {
	best, weight := -1, 0.0
	if w, said := quality(headers, "identity"); said {
		weight = w
	}
	for i, name := range encodings {
		// Of equals any encoding is better than none at all: the answer is shorter.
		if w, _ := quality(headers, name); w > weight || best < 0 && w == weight && w > 0 {
			best, weight = i, w
		}
	}
	return best
}

// quality returns the weight of an encoding, from 0 (not acceptable) to 1, and
// whether the client named it: "*" is for those that it does not name.
func quality(headers []string, encoding string) (weight float64, named bool) {
	rest := 0.0
	for _, header := range headers {
		for item := range strings.SplitSeq(header, ",") {
			name, parameter, more := strings.Cut(item, ";")
			q := 1.0
			if more {
				q = qvalue(parameter)
			}
			switch name = strings.ToLower(strings.Trim(name, " \t")); {
			case name == encoding, name == "x-gzip" && encoding == "gzip": // its old name
				return q, true
			case name == "*":
				rest = q
			}
		}
	}
	return rest, false
}

// qvalue reads a weight such as "q=0.5": 0 to 1 with at most three decimals.
// Anything else is 0.
func qvalue(parameter string) float64 {
	name, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
	if !strings.EqualFold(name, "q") || len(value) == 0 || len(value) > len("0.123") || strings.Trim(value, "0123456789.") != "" {
		return 0
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil || q > 1 {
		return 0
	}
	return q
}
