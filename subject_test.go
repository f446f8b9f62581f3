package streamflow

import "testing"

func TestTickSubject(t *testing.T) {
	for symbol, subject := range map[string]string{"AAPL": "ticks.AAPL", "BRK.B": "ticks.BRK%2EB"} {
		if got := TickSubject(symbol); got != subject {
			t.Errorf("TickSubject(%q) = %q, want %q", symbol, got, subject)
		}
		if got, ok := TickSymbol(subject); !ok || got != symbol {
			t.Errorf("TickSymbol(%q) = %q, %v, want %q", subject, got, ok, symbol)
		}
	}
	for _, subject := range []string{"", "ticks", "ticks.", "ticks.*", "ticks.A.B", "tick.A", "dlq.A"} {
		if symbol, ok := TickSymbol(subject); ok {
			t.Errorf("TickSymbol(%q) = %q", subject, symbol)
		}
	}
}

func TestCursorSubject(t *testing.T) {
	for _, p := range []Partition{{"stock_ticks", 0}, {"a.b", 7}, {"dlq", 3}, {"cursor", 1}} {
		for _, subject := range []string{CursorSubject(p.Topic, p.Number), DeadLetterCursorSubject(p.Topic, p.Number)} {
			if got, err := ParseCursorSubject(subject); err != nil || got != p {
				t.Errorf("%s is read as %v, %v, want %v", subject, got, err, p)
			}
		}
	}
	for _, subject := range []string{
		"", "cursor", "cursor.t", "cursor.t.x", "cursor.t.-1", "cursor.t.+1", "cursor.t.2147483648", "cursor..0", "cursor.*.0",
		"dlq.t.0", "other.dlq.t.0", "cursor.x.t.0", "cursor.dlq.t.0.1",
	} {
		if p, err := ParseCursorSubject(subject); err == nil {
			t.Errorf("%q is read as %v, want an error", subject, p)
		}
	}
}

func TestNames(t *testing.T) {
	if got := DeadLetterSubject("a.b"); got != "dlq.a%2Eb" {
		t.Errorf("dead letters of a.b go to %s", got)
	}
	if got := Durable(FunctionArchive, 2); got != "archive-2" {
		t.Errorf("the durable is %s", got)
	}
}
