package api

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
)

// StoredTick is a tick with its place in Kafka.
type StoredTick struct {
	Tick     streamflow.Tick
	Position streamflow.Position
}

// MarshalJSON returns the canonical form of the tick with two members more.
func (t StoredTick) MarshalJSON() ([]byte, error) {
	b := t.Tick.AppendJSON(make([]byte, 0, 192))
	b = append(b[:len(b)-1], `,"partition":`...)
	b = strconv.AppendInt(b, int64(t.Position.Partition), 10)
	b = append(b, `,"offset":`...)
	b = strconv.AppendInt(b, t.Position.Offset, 10)
	return append(b, '}'), nil
}

// Schema describes the JSON form.
func (StoredTick) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[Tick](), true, "Tick")
}

// Tick is the JSON form of a [StoredTick], for the OpenAPI document only.
type Tick struct {
	_         struct{}  `json:"-" additionalProperties:"true"` // members that StreamFlow does not know are kept
	Symbol    string    `json:"symbol" example:"AAPL" doc:"The symbol"`
	Price     float64   `json:"price" example:"187.23" doc:"The price, above 0"`
	Volume    int64     `json:"volume" minimum:"0" example:"100" doc:"Units that changed hands"`
	Timestamp time.Time `json:"timestamp" example:"2025-11-21T14:30:00.123Z" doc:"Event time"`
	ID        string    `json:"id,omitempty" example:"T-1" doc:"Id of the trade at its source"`
	Exchange  string    `json:"exchange,omitempty" example:"XNAS" doc:"The exchange"`
	Bid       float64   `json:"bid,omitempty" example:"187.22" doc:"Best bid at that time"`
	Ask       float64   `json:"ask,omitempty" example:"187.24" doc:"Best ask at that time"`
	Partition int32     `json:"partition" example:"0" doc:"Partition of the Kafka topic"`
	Offset    int64     `json:"offset" example:"4711" doc:"Offset in the partition"`
}

// formatCursor makes the opaque text of a cursor.
func formatCursor(c TickCursor) string {
	b := strconv.AppendInt(nil, c.Time.UnixNano(), 10)
	b = strconv.AppendInt(append(b, ','), int64(c.Partition), 10)
	b = strconv.AppendInt(append(b, ','), c.Offset, 10)
	return opaque(string(b))
}

// parseCursor reads what formatCursor makes, and nothing else.
func parseCursor(s string) (TickCursor, error) {
	text, err := transparent(s)
	if err != nil {
		return TickCursor{}, err
	}
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return TickCursor{}, errCursor
	}
	nanos, err1 := strconv.ParseInt(parts[0], 10, 64)
	partition, err2 := strconv.ParseInt(parts[1], 10, 32)
	offset, err3 := strconv.ParseInt(parts[2], 10, 64)
	c := TickCursor{Time: time.Unix(0, nanos).UTC(), Partition: int32(partition), Offset: offset}
	if err := errors.Join(err1, err2, err3); err != nil || formatCursor(c) != s {
		return TickCursor{}, errCursor
	}
	return c, nil
}
