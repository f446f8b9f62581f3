const length = 350
const sweep = 100

/** Tints cells for a moment. One timer serves all of them, and only while some are tinted. */
export class Flashes {
  private readonly ends = new Map<HTMLElement, number>()
  private timer: ReturnType<typeof setInterval> | undefined

  flash(cell: HTMLElement, move: string): void {
    if (cell.dataset.flash !== move) cell.dataset.flash = move
    this.ends.set(cell, performance.now() + length)
    this.timer ??= setInterval(this.clear, sweep)
  }

  stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private readonly clear = (): void => {
    const now = performance.now()
    for (const [cell, end] of this.ends) {
      if (end > now) continue
      delete cell.dataset.flash
      this.ends.delete(cell)
    }
    if (this.ends.size === 0) this.stop()
  }
}
