package candles

import (
	"fmt"

	"streamflow/functions/coder"
)

// AppendBinary appends the state of b: all but its plan and its symbol.
func (b *Builder) AppendBinary(data []byte) ([]byte, error) {
	c := coder.Writer(data)
	b.Code(c)
	return c.Bytes(), nil
}

// UnmarshalBinary reads what AppendBinary wrote into a builder of the same
// symbol whose plan has the same intervals; the policy may be another.
func (b *Builder) UnmarshalBinary(data []byte) error {
	c := coder.Reader(data)
	b.Code(c)
	if err := c.End(); err != nil {
		return fmt.Errorf("candles of %s: state of %d bytes: %w", b.symbol, len(data), err)
	}
	return nil
}

// Code is both: it codes the state as a part of a greater one.
func (b *Builder) Code(c *coder.Coder) {
	c.String(&b.topic)
	b.windows.Code(c, codeBar)
}

// codeBar names all fields of a bar, each beside what it is near to.
func codeBar(c *coder.Coder, start int64, b *bar) {
	c.Price(&b.first.price)
	c.Price(&b.high)
	c.Price(&b.low)
	c.Price(&b.last.price)
	for _, at := range []*int64{&b.first.at, &b.last.at} {
		since := *at - start
		c.Int(&since)
		*at = start + since
	}
	c.Near(&b.first.offset)
	c.Near(&b.last.offset)
	c.Near(&b.newest)
	partition := int64(b.partition)
	c.Int(&partition)
	b.partition = int32(partition)
	c.Int(&b.volume)
	c.Int(&b.trades)
	c.Float(&b.sum.hi)
	c.Float(&b.sum.lo)
}
