package formula

import "testing"

// Tables that were printed: S. B. Achelis, Technical Analysis from A to Z, 2nd
// ed. (2000), by page, as transcribed in tests/atoz.txt of
// github.com/TulipCharts/tulipindicators at be18abb. Within half a unit of the
// last digit that is given.

func TestAchelisSMA(t *testing.T) { // p. 207
	series(t, "sma(5)", []float64{
		25, 24.875, 24.781, 24.594, 24.5, 24.625, 25.219, 27.25,
	}, 4, 5e-4, 24.75, 24.675, 24.744, 25.238)
}

func TestAchelisWMA(t *testing.T) { // p. 213
	series(t, "wma(5)", []float64{
		25, 24.875, 24.7813, 24.5938, 24.5, 24.625, 25.2188, 27.25,
	}, 4, 1e-4, 24.6646, 24.6229, 24.8042, 25.6396)
}

func TestAchelisRSI(t *testing.T) { // p. 299
	series(t, "rsi(5)", []float64{
		37.875, 39.5, 38.75, 39.8125, 40, 39.875, 40.1875, 41.25, 41.125, 41.625, 41.25, 40.1875, 39.9375, 39.9375, 40.5,
		41.9375, 42.25, 42.25, 41.875, 41.875,
	}, 5, 6e-5, []float64{
		76.6667, 78.8679, 84.9158, 81.4863, 84.5968, 73.0851, 49.3173, 45.0119, 45.0119, 57.9252, 75.9596, 78.4676, 78.4676,
		65.6299, 65.6299,
	}...)
}

func TestAchelisBollinger(t *testing.T) { // p. 73
	closes := []float64{
		31.875, 32.125, 32.3125, 32.125, 31.875, 32.3125, 32.25, 32.4375, 32.8125, 32.375, 32.5, 32.4375, 32.75, 33.1875,
		33.0625, 33.0625, 33.125, 33.0625, 32.8125, 32.875, 33.25, 33.125,
	}
	lower := []float64{
		31.7271, 31.8279, 31.8452, 31.8176, 31.7323, 32.0422, 32.0992, 32.2023, 32.2268, 32.0552, 32.1927, 32.3546, 32.7354, 33,
		32.8071, 32.7451, 32.7029, 32.7029,
	}
	middle := []float64{
		32.0625, 32.15, 32.175, 32.2, 32.3375, 32.4375, 32.475, 32.5125, 32.575, 32.65, 32.7875, 32.9, 33.0375, 33.1, 33.025,
		32.9875, 33.025, 33.025,
	}
	upper := []float64{
		32.3979, 32.4721, 32.5048, 32.5824, 32.9427, 32.8328, 32.8508, 32.8227, 32.9232, 33.2448, 33.3823, 33.4454, 33.3396,
		33.2, 33.2429, 33.2299, 33.3471, 33.3471,
	}
	i := parse(t, "bollinger(5,2)")
	for n, price := range closes {
		i.Push(Bar{High: price, Low: price, Close: price, VWAP: price})
		if n >= 4 {
			compare(t, i, n, 6e-5, middle[n-4], upper[n-4], lower[n-4])
		}
	}
}

// P. 70: Achelis takes high - low for the first true range. A bar before the
// first one that closes within its range makes that so.
func TestAchelisATR(t *testing.T) {
	high := []float64{
		12.3125, 12.25, 12.3125, 12.2812, 12.375, 12.375, 12.3125, 12.375, 12.5, 12.5938, 12.3438, 12.4062, 12.375, 12.4062,
		12.375, 12.2812, 12.25, 12.0625, 12.3125, 12.3125,
	}
	low := []float64{
		12.1875, 12.1562, 12.1875, 12.125, 12.125, 12.2812, 12.1875, 12.1875, 12.2812, 12.3125, 12.2812, 12.2812, 12.2812,
		12.2812, 11.9688, 12.0938, 12, 11.6562, 12.1562, 12.125,
	}
	last := []float64{
		12.25, 12.1875, 12.25, 12.1875, 12.375, 12.3125, 12.2188, 12.3438, 12.5, 12.375, 12.3438, 12.3438, 12.2812, 12.375,
		12.0938, 12.1562, 12.0625, 11.9688, 12.1875, 12.1562,
	}
	want := []float64{
		0.125, 0.1563, 0.1406, 0.1367, 0.1494, 0.1668, 0.1954, 0.17, 0.1587, 0.1425, 0.1381, 0.2052, 0.2007, 0.213, 0.2614,
		0.2819, 0.2583,
	}
	ranges(t, "atr(4)", high, low, last, 3, 6e-5, want)
}

// ranges wants the main values of bars with a range from row first on; a bar
// that lies within the first one goes before.
func ranges(t *testing.T, spec string, high, low, last []float64, first int, within float64, want []float64) {
	t.Helper()
	i := parse(t, spec)
	i.Push(Bar{High: last[0], Low: last[0], Close: last[0], VWAP: last[0]})
	for n := range high {
		i.Push(Bar{High: high[n], Low: low[n], Close: last[n], VWAP: last[n]})
		if n >= first {
			compare(t, i, n, within, want[n-first])
		}
	}
}
