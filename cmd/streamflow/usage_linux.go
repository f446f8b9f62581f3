package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticksPerSecond is the unit of CPU times in /proc, which Linux fixes for programs.
const ticksPerSecond = 100

// family returns a process and all its descendants.
func family(pid int) []int {
	pids := []int{pid}
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		for _, field := range strings.Fields(string(data)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, family(child)...)
			}
		}
	}
	return pids
}

// cpuSeconds returns the user and system time of a process, its descendants
// and those of them that have ended; of this process alone if it is our own. 0
// if it cannot be read.
func cpuSeconds(pid int) float64 {
	pids, fieldsOf := family(pid), 4 // utime, stime, and both of the children that were waited for
	if pid == os.Getpid() {
		pids, fieldsOf = pids[:1], 2
	}
	total := 0.0
	for _, p := range pids {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(p) + "/stat")
		if err != nil {
			continue
		}
		// The name, in brackets, may hold spaces; fields are counted behind it.
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		for _, field := range fields[11 : 11+fieldsOf] {
			n, _ := strconv.ParseFloat(field, 64)
			total += n / ticksPerSecond
		}
	}
	return total
}

// memoryMB returns the memory of a process and its descendants, what they share
// counted once; of this process alone if it is our own.
func memoryMB(pid int) float64 {
	pids := family(pid)
	if pid == os.Getpid() {
		pids = pids[:1]
	}
	total := 0.0
	for _, p := range pids {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(p) + "/smaps_rollup")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if kb, ok := strings.CutPrefix(line, "Pss:"); ok {
				n, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 64)
				total += n / 1024
			}
		}
	}
	return total
}
