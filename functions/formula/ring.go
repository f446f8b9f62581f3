package formula

// ring is the window of the newest n numbers. Memory is taken with the first one.
type ring struct {
	n    int
	next int // where the oldest stands once it is full
	v    []float64
}

func (r *ring) push(x float64) {
	if len(r.v) < r.n {
		if r.v == nil {
			r.v = make([]float64, 0, r.n)
		}
		r.v = append(r.v, x)
		return
	}
	r.v[r.next] = x
	if r.next++; r.next == r.n {
		r.next = 0
	}
}

func (r *ring) full() bool { return len(r.v) == r.n }

// older and newer are the numbers, the oldest first. All sums go in that order:
// a window that was restored must come to the same sum, to the last bit.
func (r *ring) older() []float64 { return r.v[r.next:] }
func (r *ring) newer() []float64 { return r.v[:r.next] }

// oldest and newest of a ring that holds something.
func (r *ring) oldest() float64 { return r.v[r.next] }
func (r *ring) newest() float64 {
	if r.next == 0 {
		return r.v[len(r.v)-1]
	}
	return r.v[r.next-1]
}

// mean of what it holds. The differences to one of the numbers are summed, not
// the numbers: they are small, so next to nothing is rounded away.
func (r *ring) mean() float64 {
	base, sum := r.newest(), 0.0
	for _, x := range r.older() {
		sum += x - base
	}
	for _, x := range r.newer() {
		sum += x - base
	}
	return base + sum/float64(len(r.v))
}

// squares is the sum of the squared distances to the mean, in two passes; the
// second sum takes out what the mean was rounded by (Chan, Golub, LeVeque 1983).
func (r *ring) squares(mean float64) float64 {
	sum, rest := 0.0, 0.0
	for _, half := range [2][]float64{r.older(), r.newer()} {
		for _, x := range half {
			d := x - mean
			sum += d * d
			rest += d
		}
	}
	return max(0, sum-rest*rest/float64(len(r.v)))
}

// extremes are the smallest and the largest number.
func (r *ring) min() float64 {
	least := r.v[0]
	for _, x := range r.v {
		least = min(least, x)
	}
	return least
}

func (r *ring) max() float64 {
	most := r.v[0]
	for _, x := range r.v {
		most = max(most, x)
	}
	return most
}
