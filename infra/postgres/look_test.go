package postgres

import "testing"

func TestLook(t *testing.T) {
	d := newDB(t)
	if _, err := d.Migrate(t.Context(), Retention{}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.pool.Exec(t.Context(), `INSERT INTO positions (function, topic, partition, kafka_offset) VALUES ('archive', 'stock_ticks', 0, 9), ('archive', 'stock_ticks', 1, 4), ('x', 'stock_ticks', 0, 1)`); err != nil {
		t.Fatal(err)
	}
	l, err := d.Look(t.Context())
	if err != nil || l.Bytes < 1<<20 || l.Connections < 1 || l.Archived != 15 {
		t.Errorf("%+v, %v", l, err)
	}
}
