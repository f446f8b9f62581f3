package notify

import (
	"math/rand/v2"
	"time"
)

const (
	firstRetry   = time.Second
	longestRetry = 10 * time.Minute
	longestAsked = time.Hour // that a receiver may ask for
)

// delay returns how long to wait after a number of attempts: twice as long each
// time, at least what the receiver asked for. The upper half is left to chance,
// so that what failed together does not come back together.
func delay(attempts int, asked time.Duration) time.Duration {
	d := longestRetry
	if attempts <= 10 { // 2^9 s are below the longest, 2^10 s above
		d = min(d, firstRetry<<(max(attempts, 1)-1))
	}
	d = d/2 + rand.N(d/2+1)
	return max(d, min(asked, longestAsked))
}
