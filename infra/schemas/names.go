package schemas

import (
	"slices"

	"streamflow"
)

// field is a field of a schema: its name, and others that it may go by.
type field struct {
	name   string
	others []string
}

// fields leaves to each of the fields those other names that are nobody's own,
// and that none before it goes by.
func fields(all []field) []field {
	taken := make(map[string]bool)
	for _, f := range all {
		taken[f.name] = true
	}
	for i := range all {
		all[i].others = slices.DeleteFunc(slices.Clone(all[i].others), func(name string) bool {
			was := taken[name]
			taken[name] = true
			return was
		})
	}
	return all
}

// as returns the name that a field goes by: the one of its names that a member
// has, or else its own.
func (f *field) as(members []streamflow.Member) string {
	if len(f.others) == 0 || known(members, f.name) {
		return f.name
	}
	for _, other := range f.others {
		if known(members, other) {
			return other
		}
	}
	return f.name
}

func known(members []streamflow.Member, name string) bool {
	return slices.ContainsFunc(members, func(m streamflow.Member) bool { return m.Name == name })
}

func required(members []streamflow.Member, name string) bool {
	return slices.Contains(members, streamflow.Member{Name: name, Required: true})
}
