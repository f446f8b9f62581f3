package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"streamflow"
)

const (
	tailHead = "%-12s %12s %9s %12s %15s %5s %12s"
	tailLine = "%-12s %12.2f %+8.2f%% %12d %15s %5d %12d"
	redraw   = 250 * time.Millisecond
)

// change in per cent against the first price that was seen.
func change(first, now float64) float64 { return 100 * (now - first) / first }

func clock(t time.Time) string { return t.Local().Format("15:04:05.000") }

// lineView writes one line a tick.
type lineView struct {
	last map[string]float64 // the first price of each symbol
}

func (v *lineView) tick(m streamflow.Mirrored) {
	if len(v.last) == 0 {
		fmt.Printf(tailHead+"\n", "symbol", "price", "change", "volume", "time", "part", "offset")
	}
	first, ok := v.last[m.Tick.Symbol]
	if !ok {
		first = m.Tick.Price
		v.last[m.Tick.Symbol] = first
	}
	fmt.Printf(tailLine+"\n", m.Tick.Symbol, m.Tick.Price, change(first, m.Tick.Price), m.Tick.Volume, clock(m.Tick.Time), m.Position.Partition, m.Position.Offset)
}

func (v *lineView) refused(p streamflow.Position, err error) {
	fmt.Printf("%-12s %v (partition %d, offset %d)\n", "(refused)", err, p.Partition, p.Offset)
}

func (v *lineView) close() {}

// tableView redraws a table with one line a symbol. The ticks come as fast as
// they like; the screen is written four times a second.
type tableView struct {
	w       io.Writer
	mu      sync.Mutex
	rows    map[string]*tableRow
	total   int64
	bad     int64
	lastBad string
	began   time.Time
	stop    chan struct{}
	stopped chan struct{}
}

type tableRow struct {
	streamflow.Mirrored
	first  float64
	volume int64
}

func newTableView(w io.Writer) *tableView {
	v := &tableView{w: w, rows: make(map[string]*tableRow), began: time.Now(), stop: make(chan struct{}), stopped: make(chan struct{})}
	go v.run()
	return v
}

func (v *tableView) tick(m streamflow.Mirrored) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.total++
	r := v.rows[m.Tick.Symbol]
	if r == nil {
		r = &tableRow{first: m.Tick.Price}
		v.rows[m.Tick.Symbol] = r
	}
	m.Tick.Extra = nil
	r.Mirrored = m
	r.volume += m.Tick.Volume
}

func (v *tableView) refused(p streamflow.Position, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bad++
	v.lastBad = fmt.Sprintf("%v (partition %d, offset %d)", err, p.Partition, p.Offset)
}

func (v *tableView) run() {
	defer close(v.stopped)
	ticker := time.NewTicker(redraw)
	defer ticker.Stop()
	for {
		select {
		case <-v.stop:
			v.draw()
			return
		case <-ticker.C:
			v.draw()
		}
	}
}

func (v *tableView) close() {
	close(v.stop)
	<-v.stopped
}

// draw writes the whole screen at once, so that it does not flicker.
func (v *tableView) draw() {
	v.mu.Lock()
	defer v.mu.Unlock()
	var b bytes.Buffer
	b.WriteString("\x1b[H")
	line := func(format string, args ...any) {
		fmt.Fprintf(&b, format, args...)
		b.WriteString("\x1b[K\r\n")
	}
	line("%d ticks, %d symbols, %.0f a second, %d refused   Ctrl-C ends", v.total, len(v.rows), float64(v.total)/time.Since(v.began).Seconds(), v.bad)
	line(tailHead, "symbol", "price", "change", "volume", "time", "part", "offset")
	symbols := make([]string, 0, len(v.rows))
	for s := range v.rows {
		symbols = append(symbols, s)
	}
	slices.Sort(symbols)
	for _, s := range symbols {
		r := v.rows[s]
		line(tailLine, s, r.Tick.Price, change(r.first, r.Tick.Price), r.volume, clock(r.Tick.Time), r.Position.Partition, r.Position.Offset)
	}
	if v.lastBad != "" {
		line("last refused: %s", v.lastBad)
	}
	b.WriteString("\x1b[J")
	_, _ = v.w.Write(b.Bytes())
}
