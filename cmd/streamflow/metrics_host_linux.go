package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// readHost reads /proc, which shows the machine also inside a container.
func readHost(disk string) (f hostFigures, ok bool) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return f, false
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	// user nice system idle iowait irq softirq steal; what guests used is in user.
	for i, field := range strings.Fields(strings.TrimPrefix(line, "cpu")) {
		seconds := number(field) / ticksPerSecond
		switch {
		case i == 3 || i == 4:
			f.idle += seconds
		case i < 8:
			f.busy += seconds
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(load), " ")
	f.load = number(first)
	memory, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(memory)) {
		name, value, _ := strings.Cut(line, ":")
		bytes := number(strings.TrimSuffix(strings.TrimSpace(value), " kB")) * 1024
		switch name {
		case "MemTotal":
			f.memory = bytes
		case "MemAvailable":
			f.available = bytes
		}
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(disk, &fs); err == nil {
		// As df reckons: what is kept for root, or by a quota, is neither free nor used.
		f.diskSize, f.diskFree = float64(fs.Blocks-fs.Bfree+fs.Bavail)*float64(fs.Bsize), float64(fs.Bavail)*float64(fs.Bsize)
	}
	return f, true
}

func number(s string) float64 {
	n, _ := strconv.ParseFloat(s, 64)
	return n
}
