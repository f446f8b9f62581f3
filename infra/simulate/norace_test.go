//go:build !race

package simulate

const arithmeticSteps = 10_000_000
