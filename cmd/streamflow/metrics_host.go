package main

import (
	"cmp"
	"os"

	"github.com/prometheus/client_golang/prometheus"
)

// hostFigures are those of the machine that a process runs on.
type hostFigures struct {
	busy, idle         float64 // CPU seconds, of all processors together
	load               float64 // over a minute
	memory, available  float64 // bytes
	diskSize, diskFree float64 // bytes, of the disk that the data are on
}

// hostMetrics tell them, so that a laptop and a cluster without a node exporter
// have a dashboard too.
type hostMetrics struct {
	read func() (hostFigures, bool)
	desc map[string]*prometheus.Desc
}

// hostDisk is where the data are, or the root of the machine or container.
func hostDisk() string {
	dir := cmp.Or(os.Getenv("DATA_DIR"), "./data")
	if _, err := os.Stat(dir); err != nil {
		return "/"
	}
	return dir
}

func newHostMetrics(disk string) *hostMetrics {
	m := &hostMetrics{read: func() (hostFigures, bool) { return readHost(disk) }, desc: make(map[string]*prometheus.Desc)}
	describe := func(name, help string, labels ...string) {
		m.desc[name] = prometheus.NewDesc("streamflow_host_"+name, help, labels, nil)
	}
	describe("cpu_seconds_total", "CPU time of the machine, of all processors together, by mode: busy or idle.", "mode")
	describe("load1", "Processes that ran or waited, mean over a minute.")
	describe("memory_bytes", "Memory of the machine.")
	describe("memory_available_bytes", "Memory that programs can have without swapping.")
	describe("disk_size_bytes", "Size of the disk that holds the data directory, or of the root.")
	describe("disk_free_bytes", "What is free of it for programs that are not root.")
	return m
}

// Describe implements [prometheus.Collector].
func (m *hostMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range m.desc {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *hostMetrics) Collect(ch chan<- prometheus.Metric) {
	f, ok := m.read()
	if !ok {
		return
	}
	send := func(name string, kind prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(m.desc[name], kind, v, labels...)
	}
	send("cpu_seconds_total", prometheus.CounterValue, f.busy, "busy")
	send("cpu_seconds_total", prometheus.CounterValue, f.idle, "idle")
	send("load1", prometheus.GaugeValue, f.load)
	send("memory_bytes", prometheus.GaugeValue, f.memory)
	send("memory_available_bytes", prometheus.GaugeValue, f.available)
	send("disk_size_bytes", prometheus.GaugeValue, f.diskSize)
	send("disk_free_bytes", prometheus.GaugeValue, f.diskFree)
}
