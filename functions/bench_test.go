package functions_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"streamflow"
	"streamflow/functions"
)

// belt is a source that delivers ticks of 500 symbols as fast as they are taken.
type belt struct {
	messages []streamflow.Message
	offset   int64
	left     int
	done     context.CancelFunc
}

func newBelt(n int, done context.CancelFunc) *belt {
	b := &belt{left: n, done: done}
	for i := range 1000 {
		b.messages = append(b.messages, tick(fmt.Sprintf("SYM%03d", i%500), 0, int64(i), 7, time.Now()))
	}
	return b
}

func (b *belt) Next(ctx context.Context, limit int) ([]streamflow.Message, bool, error) {
	if b.left <= 0 {
		b.done()
		<-ctx.Done()
		return nil, false, ctx.Err()
	}
	n := min(limit, b.left, len(b.messages))
	for i := range b.messages[:n] {
		m := &b.messages[i]
		m.Position.Offset, m.Previous, m.Sequence = b.offset, b.offset-1, uint64(b.offset+1)
		b.offset++
	}
	b.left -= n
	return b.messages[:n], b.offset == int64(n), nil
}

func (b *belt) Ack() error                         { return nil }
func (b *belt) Rewind(context.Context) error       { panic("there is no gap") }
func (b *belt) Seek(context.Context, uint64) error { return nil }
func (b *belt) Close()                             {}
func (b *belt) Heads(context.Context) (map[streamflow.Partition]int64, error) {
	return nil, nil
}
func (b *belt) Pending(context.Context) (uint64, int, error) { return 0, 0, nil }

// blank is a ledger that takes everything at once.
type blank struct{ fence uint64 }

func (l *blank) Load(context.Context) ([]byte, uint64, error) { return nil, 0, nil }
func (l *blank) Commit(context.Context, []streamflow.Message, []byte, uint64) (uint64, error) {
	l.fence++
	return l.fence, nil
}
func (l *blank) WriteState(context.Context, int, [][]byte, uint64) error  { return nil }
func (l *blank) ReadState(context.Context, int, int) ([][]byte, error)    { return nil, nil }
func (l *blank) Show(context.Context, []streamflow.Message, uint64) error { return nil }
func (l *blank) Reject(context.Context, streamflow.DeadLetter) error      { return nil }
func (l *blank) MaxPiece() int                                            { return 1 << 20 }

// What a whole shard takes for a tick, from its source to its state, without
// servers; "facts" publishes one for every tenth.
func BenchmarkShard(b *testing.B) {
	for _, every := range []int64{0, 10} {
		b.Run(fmt.Sprintf("every=%d", every), func(b *testing.B) {
			f := functions.Func[int64]{Name: "bench", Step: func(s *int64, in *functions.Input, out *functions.Output) error {
				if *s++; every > 0 && *s%every == 0 {
					out.Publish("results.bench.x", append(out.Scratch(), "0123456789"...))
				}
				return nil
			}}.Build()
			ctx, cancel := context.WithCancel(b.Context())
			s := functions.NewStepper(functions.StepConfig{Function: f, Source: newBelt(b.N, cancel), Ledger: &blank{}, Limit: 1000})
			b.ReportAllocs()
			b.ResetTimer()
			if err := s.Run(ctx); err != nil {
				b.Fatal(err)
			}
		})
	}
}
