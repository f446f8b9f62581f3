//go:build race

package simulate

// arithmeticSteps is how many steps the test of the arithmetic takes: the race
// detector, which it gives nothing to find, makes it ten times slower.
const arithmeticSteps = 500_000
