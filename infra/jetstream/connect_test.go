package jetstream

import "testing"

func TestNewEnough(t *testing.T) {
	for version, want := range map[string]bool{
		"2.14.0": true, "2.15.2": true, "3.0.0-beta.1": true, "": true, "dev": true,
		"2.13.9": false, "2.9.25": false, "1.4.1": false,
	} {
		if got := newEnough(version); got != want {
			t.Errorf("%q: %v, want %v", version, got, want)
		}
	}
}
