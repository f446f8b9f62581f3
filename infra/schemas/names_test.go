package schemas

import (
	"slices"
	"testing"
)

// The field that has a name keeps it, and no two fields go by the same.
func TestNames(t *testing.T) {
	for _, c := range []struct{ of, want []field }{
		{[]field{{"price", nil}, {"last", []string{"price"}}}, []field{{"price", nil}, {"last", nil}}},
		{[]field{{"a", []string{"x", "price"}}, {"b", []string{"price", "y"}}}, []field{{"price", nil}, {"b", nil}}},
		{[]field{{"symbol", []string{"volume"}}}, []field{{"symbol", nil}}},
		{[]field{{"other", []string{"another"}}}, []field{{"other", nil}}},
		{[]field{{"last", []string{"none", "price", "volume"}}}, []field{{"price", nil}}},
	} {
		var got, want []string
		for _, f := range fields(slices.Clone(c.of)) {
			got = append(got, f.as(ticks))
		}
		for _, f := range c.want {
			want = append(want, f.name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v go by %v, want %v", c.of, got, want)
		}
	}
}
