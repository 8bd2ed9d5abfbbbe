import type { Io, Parts, ServerHandle } from '../../server/cli/context.js'
import { run } from '../../server/cli/run.js'
import type { ServerOptions } from '../../server/config.js'
import { openDataFolder } from '../../server/data-folder.js'

/** A process around a command. */
export class FakeProcess implements Io {
  readonly out: Uint8Array[] = []
  readonly err: string[] = []
  readonly exits: number[] = []
  input = new Uint8Array()
  isTTY = false
  env: Record<string, string> = {}
  readonly #listeners = new Set<() => void>()

  get stdout() {
    return { isTTY: this.isTTY, write: (chunk: string | Uint8Array) => this.out.push(Buffer.from(chunk)) }
  }
  readonly stderr = { write: (chunk: string | Uint8Array) => this.err.push(String(chunk)) }
  readInput = async () => this.input
  onSignal = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  exit = (code: number) => void this.exits.push(code)
  signal(): void {
    for (const listener of this.#listeners) listener()
  }
  get listeners(): number {
    return this.#listeners.size
  }
  get text(): string {
    return Buffer.concat(this.out).toString()
  }
}

/** A server that does as it is told, and what it was made with. */
export const fakeServer = (handle: Partial<ServerHandle> = {}) => {
  const made: ServerOptions[] = []
  const parts: Parts = {
    openJournal: openDataFolder,
    createServer: async (options) => {
      made.push(options)
      return {
        listen: async () => ({ url: 'http://127.0.0.1:1234' }),
        close: async () => ({ unsaved: [] }),
        ...handle,
      }
    },
  }
  return { made, parts }
}

/** Runs a command to its end, in a process that `setup` has prepared. */
export const command = async (argv: string[], setup: (io: FakeProcess) => void = () => undefined) => {
  const io = new FakeProcess()
  setup(io)
  const code = await run(argv, io, fakeServer().parts)
  return { code, out: io.text, bytes: Buffer.concat(io.out), err: io.err.join('') }
}
