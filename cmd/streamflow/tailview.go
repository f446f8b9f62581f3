package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"streamflow"
)

const redraw = 250 * time.Millisecond

// tailColumns are the columns of a tick, with their widths: the first is flush
// left, the others right.
var tailColumns = []struct {
	name  string
	width int
}{{"symbol", 12}, {"price", 12}, {"change", 9}, {"volume", 12}, {"time", 15}, {"part", 5}, {"offset", 12}}

// tailHead is the line of names, of as many columns as there is room for.
func tailHead(room int) string {
	names := make([]string, len(tailColumns))
	for i, c := range tailColumns {
		names[i] = c.name
	}
	return tailFields(room, names)
}

// tailLine is the line of a tick; first is the price that its change counts from.
func tailLine(room int, m streamflow.Mirrored, first float64, volume int64) string {
	return tailFields(room, []string{
		m.Tick.Symbol, price(m.Tick.Price), fmt.Sprintf("%+.2f%%", change(first, m.Tick.Price)), strconv.FormatInt(volume, 10),
		clock(m.Tick.Time), strconv.Itoa(int(m.Position.Partition)), strconv.FormatInt(m.Position.Offset, 10),
	})
}

// tailFields joins the fields that there is room for: half a number is another
// number.
func tailFields(room int, fields []string) string {
	line := fmt.Sprintf("%-*s", tailColumns[0].width, fields[0])
	for i, f := range fields[1:] {
		next := fmt.Sprintf("%s %*s", line, tailColumns[i+1].width, f)
		if len(next) > room {
			break
		}
		line = next
	}
	return line
}

// price writes a price in full where that fits its column, with two decimals at
// least: a coin may cost a thousandth of a cent.
func price(v float64) string {
	exact := strconv.FormatFloat(v, 'f', -1, 64)
	_, decimals, _ := strings.Cut(exact, ".")
	switch {
	case len(decimals) <= 2:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case len(exact) <= tailColumns[1].width:
		return exact
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// change in per cent against the first price that was seen.
func change(first, now float64) float64 { return 100 * (now - first) / first }

func clock(t time.Time) string { return t.Local().Format("15:04:05.000") }

// lineView writes one line a tick.
type lineView struct {
	last map[string]float64 // the first price of each symbol
}

func (v *lineView) tick(m streamflow.Mirrored) {
	if len(v.last) == 0 {
		fmt.Println(tailHead(math.MaxInt))
	}
	first, ok := v.last[m.Tick.Symbol]
	if !ok {
		first = m.Tick.Price
		v.last[m.Tick.Symbol] = first
	}
	fmt.Println(tailLine(math.MaxInt, m, first, m.Tick.Volume))
}

func (v *lineView) refused(p streamflow.Position, err error) {
	fmt.Printf("%-12s %v (partition %d, offset %d)\n", "(refused)", err, p.Partition, p.Offset)
}

func (v *lineView) close() {}

// tableView redraws a table with one line a symbol. The ticks come as fast as
// they like; the screen is written four times a second.
type tableView struct {
	w       io.Writer
	size    func() (columns, rows int) // of the terminal, which may change
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

func newTableView(w io.Writer, size func() (columns, rows int)) *tableView {
	v := &tableView{w: w, size: size, rows: make(map[string]*tableRow), began: time.Now(), stop: make(chan struct{}), stopped: make(chan struct{})}
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
	columns, height := v.size()
	line := func(text string) {
		b.WriteString(clip(text, columns))
		b.WriteString("\x1b[K\r\n")
	}
	line(fmt.Sprintf("%d ticks, %d symbols, %.0f a second, %d refused   Ctrl-C ends", v.total, len(v.rows), float64(v.total)/time.Since(v.began).Seconds(), v.bad))
	line(tailHead(columns))
	symbols := slices.Sorted(maps.Keys(v.rows))
	// A line that does not fit would scroll the others out of their places.
	more, room := 0, max(height-5, 1)
	if len(symbols) > room {
		symbols, more = symbols[:room], len(symbols)-room
	}
	for _, s := range symbols {
		r := v.rows[s]
		line(tailLine(columns, r.Mirrored, r.first, r.volume))
	}
	if more > 0 {
		line(fmt.Sprintf("and %d more: --symbol chooses, --lines shows all", more))
	}
	if v.lastBad != "" {
		line("last refused: " + v.lastBad)
	}
	b.WriteString("\x1b[J")
	_, _ = v.w.Write(b.Bytes())
}
