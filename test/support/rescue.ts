import { expect } from 'vitest'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { runInkwire, serveProcess } from './inkwire.js'
import { connectRaw, type Raw } from './raw.js'
import { until } from './until.js'

export const SECRET = 'thirty-two bytes of secret, or a few more'

export const run = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const process = runInkwire(args)
  const code = await process.exited
  return { code, out: process.stdout(), err: process.stderr() }
}

export const tokenOf = async (user: string): Promise<string> => {
  const minted = runInkwire(['token', '**=write', '--sub', user], { INKWIRE_AUTH_JWT_SECRET: SECRET })
  expect(await minted.exited).toBe(0)
  return minted.stdout().trim()
}

export const serve = (data: string) => serveProcess(data, { args: ['--auth-jwt-secret', SECRET] })

export const enter = async (url: string, token = '', protocols: string[] = [SUBPROTOCOL]): Promise<Raw> => {
  const raw = await connectRaw(`${url}?token=${token}`, protocols)
  await raw.first('syncStep1')
  return raw
}

export const closeCode = async (url: string, token: string): Promise<number | 'in'> => {
  const raw = await connectRaw(`${url}?token=${token}`)
  return Promise.race([raw.closed.then(({ code }) => code), raw.first('syncStep1').then(() => 'in' as const)])
}

export const write = async (raw: Raw, update: Uint8Array): Promise<void> => {
  const before = raw.all('ack').at(-1)?.durable ?? 0
  raw.send({ type: 'update', update })
  await until('it is saved', () => raw.all('ack').some(({ durable }) => durable > before))
}

/** A moment between what came before and what comes after, as `--before` takes it. */
export const moment = async (): Promise<string> => {
  const start = Date.now()
  await until('a millisecond has passed', () => Date.now() > start + 1)
  const now = Date.now()
  await until('another has', () => Date.now() > now + 1)
  return new Date(now).toISOString()
}

export const textOf = async (name: string, data: string): Promise<string> =>
  (await run('export', name, '--format', 'text', '--data', data)).out
