package api

import "time"

// throughput counts ticks by second, over ten minutes.
type throughput struct {
	seconds [throughputSeconds]struct {
		unix  int64
		ticks int
	}
	began int64 // the first second that was counted from its beginning
}

const throughputSeconds = 600

func newThroughput(now time.Time) throughput { return throughput{began: now.Unix() + 1} }

func (t *throughput) add(now time.Time, n int) {
	s := &t.seconds[now.Unix()%throughputSeconds]
	if s.unix != now.Unix() {
		s.unix, s.ticks = now.Unix(), 0
	}
	s.ticks += n
}

// points are the seconds that are over, up to n of them, the oldest first. A
// second in which nothing came is 0.
func (t *throughput) points(now time.Time, n int64) []ThroughputPoint {
	end := now.Unix()
	points := make([]ThroughputPoint, 0, n)
	for unix := max(t.began, end-n); unix < end; unix++ {
		p := ThroughputPoint{At: time.Unix(unix, 0).UTC()}
		if s := &t.seconds[unix%throughputSeconds]; s.unix == unix {
			p.PerSecond = float64(s.ticks)
		}
		points = append(points, p)
	}
	return points
}

// rate is the mean over ten seconds, nil while nothing is counted.
func (t *throughput) rate(now time.Time) *float64 {
	points := t.points(now, 10)
	if len(points) == 0 {
		return nil
	}
	var sum float64
	for _, p := range points {
		sum += p.PerSecond
	}
	sum /= float64(len(points))
	return &sum
}
