package main

import (
	"context"
	"os"
	"time"
)

// syncTime measures what one fsync of an append costs in dir, for two seconds:
// the embedded Kafka waits for two of them before it answers for a batch, so on
// a slow disk they, and not the system, are the latency that is measured.
func syncTime(ctx context.Context, dir string) (quantiles, error) {
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return quantiles{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var l latencies
	block := make([]byte, 4096)
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end) && ctx.Err() == nil; {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return quantiles{}, err
		}
		if err := f.Sync(); err != nil {
			return quantiles{}, err
		}
		l.add(time.Since(start))
		time.Sleep(5 * time.Millisecond) // as a tick now and then would come
	}
	return l.quantiles(), ctx.Err()
}
