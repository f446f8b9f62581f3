package indicators

import (
	"errors"
	"fmt"
	"math"
	"time"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/coder"
	"streamflow/functions/formula"
)

// AppendBinary appends the state: all but its plan and its symbol.
func (s *state) AppendBinary(data []byte) ([]byte, error) {
	c := coder.Writer(data)
	err := s.code(c)
	return c.Bytes(), err
}

// UnmarshalBinary reads what AppendBinary wrote into a new state of the same
// symbol and a plan of the same version.
func (s *state) UnmarshalBinary(data []byte) error {
	c := coder.Reader(data)
	err := s.code(c)
	if err == nil {
		err = c.End()
	}
	if err != nil {
		return fmt.Errorf("indicators of %s: state of %d bytes: %w", s.symbol, len(data), err)
	}
	return nil
}

func (s *state) code(c *coder.Coder) error {
	if err := s.codeCandles(c); err != nil {
		return err
	}
	if s.ticks != nil {
		s.codeTick(c)
		if err := codeSet(c, s.ticks); err != nil {
			return fmt.Errorf("%s: %w", streamflow.IntervalTick, err)
		}
	}
	for i := range s.lines {
		if err := s.lines[i].code(c, s.plan.intervals[i].Duration()); err != nil {
			return fmt.Errorf("%s: %w", s.plan.intervals[i], err)
		}
	}
	return nil
}

func (s *state) codeCandles(c *coder.Coder) error {
	var text string
	if c.Reads() {
		c.String(&text)
		return s.candles.UnmarshalBinary([]byte(text))
	}
	data, err := s.candles.AppendBinary(nil)
	text = string(data)
	c.String(&text)
	return err
}

func (s *state) codeTick(c *coder.Coder) {
	c.Price(&s.price)
	seconds, rest, partition := s.time.Unix(), int64(s.time.Nanosecond()), int64(s.last.Partition)
	c.Int(&seconds)
	c.Int(&rest)
	c.String(&s.last.Topic)
	c.Int(&partition)
	c.Int(&s.last.Offset)
	s.time, s.last.Partition = time.Unix(seconds, rest).UTC(), int32(partition)
}

func codeSet(c *coder.Coder, s formula.Set) error {
	var text string
	if !c.Reads() {
		text = string(s.Append(nil))
	}
	if c.String(&text); c.Reads() {
		return readSet(s, text)
	}
	return nil
}

func readSet(s formula.Set, text string) error {
	rest, err := s.Decode([]byte(text))
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes are left behind its formulas", len(rest))
	}
	return err
}

// maxRecent is more candles than can be recent, see [Params.bound].
const maxRecent = 4 * functions.MaxFacts

var errOrder = errors.New("its candles are out of order")

// code leaves out how the formulas stand now: that follows from the rest.
func (l *line) code(c *coder.Coder, length time.Duration) error {
	before := string(l.before)
	if c.String(&before); c.Reads() {
		l.before = []byte(before)
		if err := readSet(l.now, before); err != nil {
			return err
		}
	}
	n := uint64(len(l.recent))
	if c.Uint(&n); n > maxRecent {
		return fmt.Errorf("it has %d recent candles", n)
	}
	if c.Reads() {
		l.recent = make([]formula.Bar, n)
	}
	span, last := length.Microseconds(), int64(0) // start of the candle before, in spans
	for i := range l.recent {
		b := &l.recent[i]
		step := b.At/span - last
		c.Int(&step)
		if last += step; c.Reads() && (i > 0 && step <= 0 || last > math.MaxInt64/2/span || last < math.MinInt64/2/span) {
			return errOrder
		}
		b.At, b.Span = last*span, length
		c.Price(&b.Low)
		c.Price(&b.High)
		c.Price(&b.Close)
		c.Float(&b.VWAP)
		c.Int(&b.Volume)
	}
	if c.Reads() {
		for i := range l.recent {
			l.now.Push(l.recent[i])
		}
	}
	return nil
}
