package streamflow

import "time"

// Mirrored is a tick as it stands in stream TICKS or in table stock_ticks.
type Mirrored struct {
	Tick     Tick
	Position Position
	// Previous is the offset of the tick of the same partition that was
	// mirrored before this one, -1 for the first; see [HeaderPrevious].
	Previous int64
	Sequence uint64    // in the stream; 0 from the table
	Stored   time.Time // when the stream, or the table, took it
	Hops     []Hop     // nil from the table
}

// Day is what a symbol did on one UTC day, by event time.
type Day struct {
	Symbol          string
	Date            time.Time // midnight UTC at which the day began
	Reference       float64   // the last price before Date; 0 if there is none
	ReferenceTime   time.Time // event time of its tick; zero if there is none
	Open, High, Low float64
	OpenTime        time.Time // event time of the first tick of the day; zero if there is none
	Volume, Ticks   int64
	Last            Tick // the newest tick by event time, of this day or an earlier one
}
