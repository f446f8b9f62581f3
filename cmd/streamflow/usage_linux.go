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

// children returns the children of a process.
func children(pid int) (pids []int) {
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		for _, field := range strings.Fields(string(data)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// family returns a process and all its descendants, or the process alone.
func family(pid int, all bool) []int {
	pids := []int{pid}
	if all {
		for _, child := range children(pid) {
			pids = append(pids, family(child, true)...)
		}
	}
	return pids
}

// cpuSeconds returns the user and system time of a process, and if all is true
// of its descendants and those of them that have ended. 0 if it cannot be read.
func cpuSeconds(pid int, all bool) float64 {
	fieldsOf := 2 // utime, stime
	if all {
		fieldsOf = 4 // and both of the children that were waited for
	}
	total := 0.0
	for _, p := range family(pid, all) {
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

// memoryMB returns the memory of a process, and if all is true of its
// descendants, what they share counted once.
func memoryMB(pid int, all bool) float64 {
	total := 0.0
	for _, p := range family(pid, all) {
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
