package streamflow

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestPosition(t *testing.T) {
	for _, p := range []Position{{"stock_ticks", 0, 0}, {"a.b-c", math.MaxInt32, math.MaxInt64}, {"x/y", 1, 2}} {
		got, err := ParsePosition(p.String())
		if err != nil || got != p {
			t.Errorf("%v is read as %v, %v", p, got, err)
		}
		if in := p.In(); in.Topic != p.Topic || in.Number != p.Partition {
			t.Errorf("%v stands in %v", p, in)
		}
	}
	for _, s := range []string{"", "t", "t/0", "/0/0", "t/0/", "t//0", "t/-1/0", "t/0/-1", "t/+1/0", "t/2147483648/0", "t/0/9223372036854775808", "t/0/1 "} {
		if p, err := ParsePosition(s); err == nil {
			t.Errorf("%q is read as %v, want an error", s, p)
		}
	}
}

func TestHops(t *testing.T) {
	kafka, bridge := time.Unix(1735815600, 123456789), time.Unix(1735815600, 987654321)
	text := string(AppendHop(AppendHop(nil, HopKafka, kafka), HopBridge, bridge))
	if want := "kafka=1735815600123456789;bridge=1735815600987654321;"; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
	same := func(a, b Hop) bool { return a.Name == b.Name && a.At.Equal(b.At) }
	if got := ParseHops(text); !slices.EqualFunc(got, []Hop{{HopKafka, kafka}, {HopBridge, bridge}}, same) {
		t.Errorf("%s is read as %v", text, got)
	}
	if got := ParseHops("a=1;;b;=2;c=x;d=99999999999999999999;e=-3;"); !slices.EqualFunc(got, []Hop{{"a", time.Unix(0, 1)}, {"e", time.Unix(0, -3)}}, same) {
		t.Errorf("only a and e can be read, got %v", got)
	}
	if got := ParseHops(""); len(got) != 0 {
		t.Errorf("nothing is read as %v", got)
	}
}
