import {
  type IChartApi,
  type ISeriesApi,
  MismatchDirection,
  type SeriesDataItemTypeMap,
  type SeriesType,
  type UTCTimestamp,
} from 'lightweight-charts'

type Point<T extends SeriesType> = SeriesDataItemTypeMap<UTCTimestamp>[T] & { time: UTCTimestamp }

/**
 * Draws one point of a line: a new one at its end, or anew one that stands there.
 * False if it belongs between others: that the chart cannot do, and the line has to
 * be drawn as a whole.
 */
export function drawPoint<T extends SeriesType>(
  chart: IChartApi,
  line: ISeriesApi<T>,
  point: Point<T>,
): boolean {
  const newest = line.dataByIndex(Number.MAX_SAFE_INTEGER, MismatchDirection.NearestLeft)
  const historical = newest !== null && point.time < Number(newest.time)
  if (historical) {
    const place = chart.timeScale().timeToIndex(point.time)
    if (place === null || !line.dataByIndex(place)) return false
  }
  line.update(point as SeriesDataItemTypeMap[T], historical)
  return true
}
