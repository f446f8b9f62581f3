package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"streamflow"
	"streamflow/infra/postgres"
)

// Who reads a table by the topology may read it, who writes it may add to it
// and amend it, and nobody may take away.
func TestRightsFollowTheTopology(t *testing.T) {
	for _, s := range streamflow.Flow.Stages {
		may := make(map[string][]string)
		for _, r := range postgres.Rights(s) {
			may[r.Table] = append(may[r.Table], r.Grants...)
		}
		for _, a := range streamflow.Flow.Addresses {
			if a.Kind != streamflow.KindTable {
				continue
			}
			reads, writes := slices.Contains(s.Reads, a.Place), slices.Contains(s.Writes, a.Place)
			grants := may[a.Name]
			if got := slices.Contains(grants, "SELECT"); got != (reads || writes) {
				t.Errorf("%s reads %s: %v, may: %v", s.Name, a.Name, reads, got)
			}
			if got := slices.Contains(grants, "INSERT") && slices.Contains(grants, "UPDATE"); got != writes {
				t.Errorf("%s writes %s: %v, may: %v", s.Name, a.Name, writes, got)
			}
			if text := strings.Join(grants, " "); strings.Contains(text, "DELETE") || strings.Contains(text, "TRUNCATE") || strings.Contains(text, "ALL") {
				t.Errorf("%s may %s on %s", s.Name, text, a.Name)
			}
		}
	}
}
