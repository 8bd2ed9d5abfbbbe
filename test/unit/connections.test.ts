import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Client, Connections } from '../../server/clients/connections.js'

beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

/** A client that goes when it is closed, or only when it is cut off. */
const enter = (connections: Connections, goes: 'closed' | 'cut') => {
  const said: string[] = []
  const client = {
    connection: {
      terminate: () => {
        said.push('cut')
        connections.delete(client)
      },
      beat: (ping: boolean) => void said.push(ping ? 'ping' : 'beat'),
    },
    guest: {
      visits: () => [],
      close: (code: number) => {
        said.push(`${code}`)
        if (goes === 'closed') connections.delete(client)
      },
    },
  } as unknown as Client
  connections.add(client)
  return said
}

it('closes everybody at the end, and cuts off who hasn’t gone in time', async () => {
  const connections = new Connections(30_000, Date.now)
  const polite = enter(connections, 'closed')
  const stuck = enter(connections, 'cut')
  let closed = false
  void connections.closeAll(1012, 'the server restarts', 1000).then(() => {
    closed = true
  })
  await vi.advanceTimersByTimeAsync(999)
  expect([polite, stuck, closed]).toEqual([['1012'], ['1012'], false])
  await vi.advanceTimersByTimeAsync(1)
  expect([polite, stuck, closed]).toEqual([['1012'], ['1012', 'cut'], true])
})

it('W6: beats four times for each ping, at the intervals of the heartbeat', async () => {
  const connections = new Connections(30_000, Date.now)
  const said = enter(connections, 'closed')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(said).toEqual(['beat', 'beat', 'beat', 'ping', 'beat', 'beat', 'beat', 'ping'])
  await connections.closeAll(1012, '', 0)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(said.at(-1)).toBe('1012')
})
