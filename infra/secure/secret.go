package secure

import (
	"fmt"
	"os"
	"strings"
)

// Secret is a password, or the file that holds it, which neither the list of
// processes nor the description of a container shows.
type Secret struct {
	Value   string
	File    string
	Setting string // its name; that of the file ends in _FILE
}

// Set reports whether there is one.
func (s Secret) Set() bool { return s.Value != "" || s.File != "" }

// Read returns the secret, of a file without the end of its last line.
func (s Secret) Read() (string, error) {
	if s.Value != "" && s.File != "" {
		return "", fmt.Errorf("%s and %s_FILE are both set: take one of them away", s.Setting, s.Setting)
	}
	if s.File == "" {
		return s.Value, nil
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w: name a file that this user can read", s.Setting, err)
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" {
		return "", fmt.Errorf("%s_FILE: %s is empty", s.Setting, s.File)
	}
	return value, nil
}
