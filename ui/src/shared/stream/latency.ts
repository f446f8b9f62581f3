/** How many of the newest samples speak. */
const size = 512

/** The spread of how long messages took, over the newest of them. */
export class Latency {
  private readonly samples = new Float64Array(size)
  private count = 0

  add(ms: number): void {
    if (!Number.isFinite(ms)) return
    this.samples[this.count++ % size] = Math.max(0, ms)
  }

  /** Half of the samples took less than p50, 99 of 100 less than p99; null without any. It begins anew. */
  take(): { p50: number; p99: number } | null {
    const known = Math.min(this.count, size)
    this.count = 0
    if (known === 0) return null
    const sorted = this.samples.slice(0, known).sort()
    const at = (part: number) => sorted[Math.min(known - 1, Math.floor(known * part))] ?? 0
    return { p50: at(0.5), p99: at(0.99) }
  }
}
