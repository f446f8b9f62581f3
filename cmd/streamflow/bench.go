package main

import (
	"cmp"
	"os"
	"runtime/pprof"
	"slices"
)

// benchCmd measures on this machine. Nothing of it touches a running system:
// it starts servers of its own on free ports, in a directory that it removes.
type benchCmd struct {
	Bridge    benchBridgeCmd    `cmd:"" help:"Our bridge beside a bare poll-and-commit loop without validation, in one run."`
	Functions benchFunctionsCmd `cmd:"" help:"Each function alone and all together, beside a bare consumer loop; a steady feed; what steps and symbols cost."`
	Pipeline  benchPipelineCmd  `cmd:"" help:"The whole system at a rate: throughput, latency to the websocket and to the row, CPU and memory by part."`
	WS        benchWSCmd        `cmd:"" name:"ws" help:"Thousands of websocket clients, some of them stalled, beside a bare gorilla broadcast."`
}

// median of some figures; 0 of none.
func median[T cmp.Ordered](figures []T) (m T) {
	if len(figures) == 0 {
		return m
	}
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}

// profile starts a CPU profile into file, if it is named, and returns what ends it.
func profile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}
