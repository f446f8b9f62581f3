import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** What infra/stack/run says of the system that it has started; without it there is nothing to test. */
export function told(name: 'KAFKA' | 'NATS' | 'DATABASE' | 'BINARY'): string {
  const value = process.env[`STREAMFLOW_${name}`]
  if (value) return value
  throw new Error(`STREAMFLOW_${name} is not set: run the browser tests with "go tool task ui:e2e"`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return address.port
}

/** An API process of its own beside the system, which can die and come back at the same address. */
export class OwnApi {
  private process: ChildProcess | undefined
  private words = ''

  private constructor(private readonly port: number) {}

  static async start(): Promise<OwnApi> {
    const api = new OwnApi(await freePort())
    await api.again()
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Starts the process, and returns when it answers. */
  async again(): Promise<void> {
    const servers = ['--kafka', told('KAFKA'), '--nats', told('NATS'), '--database', told('DATABASE')]
    const args = ['api', ...servers, '--http-addr', `127.0.0.1:${this.port}`]
    const child = spawn(told('BINARY'), args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.process = child
    child.stderr?.on('data', (chunk) => {
      this.words = (this.words + chunk).slice(-4000)
    })
    const deadline = Date.now() + 60_000
    for (;;) {
      const answered = await fetch(`${this.url}/api/stocks`).catch(() => undefined)
      if (answered?.ok) return
      if (child.exitCode !== null || Date.now() > deadline) {
        await this.kill()
        throw new Error(`the API at ${this.url} does not answer; its last words:\n${this.words}`)
      }
      await new Promise((wake) => setTimeout(wake, 100))
    }
  }

  /** Kills the process as a crash does: it says no goodbye to anyone. */
  async kill(): Promise<void> {
    const child = this.process
    this.process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}
