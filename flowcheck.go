package streamflow

import (
	"errors"
	"fmt"
	"slices"
)

// Validate reports everything that is wrong with t: a place without a meaning,
// a topic, stream, table or endpoint without a writer or a reader, a durable or
// group that two stages share, a stage that reads what it or a later one wrote.
func (t Topology) Validate() error {
	return errors.Join(t.checkAddresses(), t.checkStages(), t.checkDirection())
}

func (t Topology) checkAddresses() error {
	var faults []error
	seen := make(map[Place]bool)
	for _, a := range t.Addresses {
		switch {
		case a.Name == "" || a.Meaning == "":
			faults = append(faults, fmt.Errorf("%s %q: its name or its meaning is missing", a.Kind, a.Name))
		case seen[a.Place]:
			faults = append(faults, fmt.Errorf("%s %s: listed twice", a.Kind, a.Name))
		}
		seen[a.Place] = true
		if !a.carries() {
			continue
		}
		if !slices.ContainsFunc(t.Stages, func(s Stage) bool { return slices.Contains(s.Writes, a.Place) }) {
			faults = append(faults, fmt.Errorf("%s %s: nobody writes it", a.Kind, a.Name))
		}
		if !slices.ContainsFunc(t.Stages, func(s Stage) bool { return slices.Contains(s.Reads, a.Place) }) {
			faults = append(faults, fmt.Errorf("%s %s: nobody reads it", a.Kind, a.Name))
		}
	}
	for _, s := range t.Stages {
		for _, p := range slices.Concat(s.Reads, s.Writes) {
			if !seen[p] {
				faults = append(faults, fmt.Errorf("stage %s: %s %s is not among the addresses", s.Name, p.Kind, p.Name))
			}
		}
	}
	return errors.Join(faults...)
}

// carries reports whether ticks stand in p.
func (p Place) carries() bool {
	return p.Kind == KindTopic || p.Kind == KindStream || p.Kind == KindTable || p.Kind == KindEndpoint
}

func (t Topology) checkStages() error {
	var faults []error
	owners := make(map[string]string)
	own := func(what, name, stage string) {
		if name == "" {
			return
		}
		if other, taken := owners[what+name]; taken {
			faults = append(faults, fmt.Errorf("stage %s: %s %s belongs to %s", stage, what, name, other))
		}
		owners[what+name] = stage
	}
	for _, s := range t.Stages {
		own("name", s.Name, s.Name)
		own("durable", s.Durable, s.Name)
		own("group", s.Group, s.Name)
		if s.Name == "" || s.Does == "" {
			faults = append(faults, fmt.Errorf("stage %q: its name or what it does is missing", s.Name))
		}
		if (s.Durable != "" || s.Group != "") && s.Position == "" {
			faults = append(faults, fmt.Errorf("stage %s: it must keep its position with what it writes", s.Name))
		}
	}
	return errors.Join(faults...)
}

// checkDirection finds circles: it takes away, again and again, the stages that
// read nothing that is still to be written.
func (t Topology) checkDirection() error {
	left := slices.Clone(t.Stages)
	for len(left) > 0 {
		still := slices.DeleteFunc(slices.Clone(left), func(s Stage) bool {
			return !slices.ContainsFunc(left, func(w Stage) bool {
				return slices.ContainsFunc(w.Writes, func(p Place) bool { return slices.Contains(s.Reads, p) })
			})
		})
		if len(still) == len(left) {
			return fmt.Errorf("stage %s: what it writes comes back to it", left[0].Name)
		}
		left = still
	}
	return nil
}
