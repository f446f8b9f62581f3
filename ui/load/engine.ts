import type { CDPSession, Page } from '@playwright/test'

/** What Chromium spent in one page: seconds since it was opened, bytes, counts. */
export interface Spent {
  /** when, in seconds of a clock of its own */
  at: number
  task: number
  script: number
  layout: number
  style: number
  heap: number
  nodes: number
  listeners: number
  /** of all processors, by kind of process: what the page would cost on an idle machine too */
  cpu: Record<'renderer' | 'GPU' | 'browser', number>
}

/** Asks the browser's engine what a page costs. */
export class Engine {
  private constructor(
    private readonly session: CDPSession,
    private readonly processes: CDPSession,
  ) {}

  static async of(page: Page): Promise<Engine> {
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable')
    const browser = page.context().browser()
    if (!browser) throw new Error('the page is of no browser that was started here')
    return new Engine(session, await browser.newBrowserCDPSession())
  }

  async spent(): Promise<Spent> {
    const { metrics } = await this.session.send('Performance.getMetrics')
    const { processInfo } = await this.processes.send('SystemInfo.getProcessInfo')
    const used = (type: string) =>
      processInfo.reduce((sum, process) => sum + (process.type === type ? process.cpuTime : 0), 0)
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
    return {
      at: of('Timestamp'),
      task: of('TaskDuration'),
      script: of('ScriptDuration'),
      layout: of('LayoutDuration'),
      style: of('RecalcStyleDuration'),
      heap: of('JSHeapUsedSize'),
      nodes: of('Nodes'),
      listeners: of('JSEventListeners'),
      cpu: { renderer: used('renderer'), GPU: used('GPU'), browser: used('browser') },
    }
  }

  /** The same after the garbage is gone: what is left is kept. */
  async kept(): Promise<Spent> {
    await this.session.send('HeapProfiler.collectGarbage')
    return this.spent()
  }
}
