package formula

// smooth is an average that moves by a share of the distance to each new number:
// Wilder's with share 1/n, the exponential one with 2/(n+1). It starts from the
// plain mean of its first n numbers. An error fades as the past does, so it does
// not drift.
type smooth struct {
	n     int
	share float64
	count int // of the first n
	value float64
}

// wilder is the smoothing of J. Welles Wilder, New Concepts in Technical Trading
// Systems (1978): average = (n-1 times the one before + new) / n.
func wilder(n float64) smooth { return smooth{n: int(n), share: 1 / n} }

func exponential(n float64) smooth { return smooth{n: int(n), share: 2 / (n + 1)} }

func (s *smooth) push(x float64) {
	if s.count == s.n {
		s.value += s.share * (x - s.value)
		return
	}
	s.count++
	s.value += (x - s.value) / float64(s.count)
}

func (s *smooth) ready() bool { return s.count == s.n }

// get returns the average, NaN while it has not seen n numbers.
func (s *smooth) get() float64 {
	if s.ready() {
		return s.value
	}
	return none
}
