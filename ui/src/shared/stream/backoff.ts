const first = 500
const longest = 15_000

/**
 * How long to wait before a try, after so many failed ones (ms): doubled each
 * time, and half of it by chance, so that the pages of a server that restarts
 * do not all come back in the same instant.
 */
export function backoff(failures: number, random: () => number = Math.random): number {
  const delay = Math.min(longest, first * 2 ** Math.max(0, failures - 1))
  return delay / 2 + (delay / 2) * random()
}
