import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { pick } from './random-edits.js'

/** A network between clients and a server: an address that stays while servers come and go, and that makes trouble. */
export interface Network {
  /** Where clients connect: `ws://127.0.0.1:…`. */
  readonly ws: string
  readonly connections: number
  /** Where connections go from now on; with `null` they wait until there is somewhere. Those that are there are cut. */
  setTarget(port: number | null): void
  /** Breaks one connection, whichever `random` picks; what was under way on it is gone. */
  cutOne(random: () => number): void
  cutAll(): void
}

export interface NetworkOptions {
  /**
   * How long the next piece of a connection's stream is held back, ms; asked once per piece and direction. Order
   * within a connection stays, as TCP keeps it; between connections it doesn't. Default: not at all.
   */
  readonly delayMs?: () => number
}

/** Starts a network at a free port; gone after the test. */
export const startNetwork = async ({ delayMs = () => 0 }: NetworkOptions = {}): Promise<Network> => {
  let target: number | null = null
  const waiting = new Set<Socket>()
  const links = new Set<Link>()
  const link = (client: Socket, port: number): void => {
    // An end goes through once all that came before it has.
    const onward = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const made = new Link(client, onward, delayMs, () => links.delete(made))
    links.add(made)
  }
  const wait = (client: Socket): void => {
    waiting.add(client)
    client.on('error', () => undefined)
    client.on('close', () => waiting.delete(client))
  }
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    if (target === null) wait(client)
    else link(client, target)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cutAll = (): void => {
    for (const link of [...links]) link.cut()
  }
  onTestFinished(async () => {
    cutAll()
    for (const client of waiting) client.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    ws: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return links.size
    },
    setTarget: (port) => {
      target = port
      cutAll()
      if (port === null) return
      for (const client of waiting) link(client, port)
      waiting.clear()
    },
    cutOne: (random) => {
      if (links.size > 0) pick(random, [...links]).cut()
    },
    cutAll,
  }
}

/** One connection through it. */
class Link {
  readonly #pipes: readonly Pipe[]
  readonly #sockets: readonly Socket[]
  readonly #onEnd: () => void

  constructor(client: Socket, server: Socket, delayMs: () => number, onEnd: () => void) {
    this.#sockets = [client, server]
    this.#onEnd = onEnd
    this.#pipes = [new Pipe(client, server, delayMs), new Pipe(server, client, delayMs)]
    for (const socket of this.#sockets) {
      socket.setNoDelay(true)
      socket.on('error', () => this.cut())
      socket.on('close', () => {
        if (this.#sockets.every((each) => each.destroyed)) this.cut()
      })
    }
  }

  cut(): void {
    for (const pipe of this.#pipes) pipe.dispose()
    // With a reset, as a failing network would, not with an orderly end.
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy()
    this.#onEnd()
  }
}

/** One direction of a connection: what comes in goes out later, in the same order. */
class Pipe {
  readonly #to: Socket
  readonly #held: { readonly due: number; readonly send: () => void }[] = []
  #timer: NodeJS.Timeout | null = null
  #disposed = false

  constructor(from: Socket, to: Socket, delayMs: () => number) {
    this.#to = to
    from.on('data', (bytes) => {
      this.#hold(delayMs(), () => {
        if (!this.#to.write(bytes)) {
          from.pause()
          this.#to.once('drain', () => from.resume())
        }
      })
    })
    from.on('end', () => this.#hold(0, () => this.#to.end()))
    from.resume()
  }

  dispose(): void {
    this.#disposed = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  #hold(delay: number, send: () => void): void {
    if (this.#disposed) return
    if (delay <= 0 && this.#held.length === 0) {
      send()
      return
    }
    const now = performance.now()
    this.#held.push({ due: Math.max(now + delay, this.#held.at(-1)?.due ?? 0), send })
    this.#arm(now)
  }

  #arm(now: number): void {
    const next = this.#held[0]
    if (this.#timer || !next) return
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        const then = performance.now()
        while (this.#held[0] && this.#held[0].due <= then) this.#held.shift()?.send()
        this.#arm(then)
      },
      Math.max(1, Math.ceil(next.due - now)),
    )
  }
}
