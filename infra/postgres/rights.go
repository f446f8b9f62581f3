package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"streamflow"
)

// Right lets a role do something with a table.
type Right struct {
	Table  string
	Grants []string // SELECT, INSERT, UPDATE
}

// Rights returns what a stage of the topology needs: to read what it reads, and
// to add to and amend what it writes, by [streamflow.Flow]. Nobody but the
// owner of the tables may delete a row, or make or change a table.
func Rights(s streamflow.Stage) (rights []Right) {
	for _, p := range s.Reads {
		if p.Kind == streamflow.KindTable {
			rights = append(rights, Right{p.Name, []string{"SELECT"}})
		}
	}
	for _, p := range s.Writes {
		if p.Kind == streamflow.KindTable {
			rights = append(rights, Right{p.Name, []string{"SELECT", "INSERT", "UPDATE"}})
		}
	}
	if s.Room == "api" { // to acknowledge them
		rights = append(rights, Right{streamflow.TableAlerts, []string{"UPDATE (acknowledged_at, acknowledged_by)"}})
	}
	return rights
}

// Grant gives a role these rights and takes all others from it. The role must
// be there, and we must own the tables.
func (d *DB) Grant(ctx context.Context, role string, rights []Right) error {
	name := pgx.Identifier{role}.Sanitize()
	sql := []string{"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM " + name, "GRANT USAGE ON SCHEMA public TO " + name}
	for _, r := range rights {
		sql = append(sql, "GRANT "+strings.Join(r.Grants, ", ")+" ON "+pgx.Identifier{r.Table}.Sanitize()+" TO "+name)
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, strings.Join(sql, ";\n"))
		return err
	})
	if err != nil {
		return explain(d.pool.Config().ConnConfig, err)
	}
	return nil
}
