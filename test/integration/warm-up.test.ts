import { chown, lutimes, mkdir, readdir, stat, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { built, type Process, runInkwire } from '../support/inkwire.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

/** `inkwire serve` as people start it, with a temporary folder of its own. */
const start = (data: string, temp: string): Process =>
  runInkwire(['serve', '--port', '0', '--data', data], { INKWIRE_NO_WARM_UP: '', TMPDIR: temp })

const listens = (server: Process): Promise<string> =>
  until('it listens', () => /http:\/\/[\d.:]+/.exec(server.stdout())?.[0])

it('serve warms up before it listens: nothing of that is in its documents, its numbers or the temporary folder', async () => {
  const [data, temp] = [await tempDir(), await tempDir()]
  const killed = join(temp, 'inkwire-warm-up-killed')
  await mkdir(killed)
  await utimes(killed, 0, 0)
  const server = start(data, temp)
  await until('it warms up', async () =>
    (await readdir(temp)).some((name) => name !== 'inkwire-warm-up-killed'),
  )
  expect(server.stdout()).toBe('')
  const url = await listens(server)
  expect(await readdir(temp)).toEqual([])
  const metrics = await (await fetch(`${url}/metrics`)).text()
  for (const name of ['inkwire_updates_received_total', 'inkwire_connections_total', 'inkwire_rooms'])
    expect(metrics).toMatch(new RegExp(`^${name} 0$`, 'm'))
  const list = runInkwire(['list', '--data', data])
  expect(await list.exited).toBe(0)
  expect(list.stdout()).not.toContain('document-')
  server.child.kill('SIGTERM')
  expect(await server.exited).toBe(0)
  expect(server.stderr()).not.toContain('"level":"warn"')
})

it('a signal ends the warm-up', async () => {
  const [data, temp] = [await tempDir(), await tempDir()]
  const server = start(data, temp)
  await until('it warms up', async () => (await readdir(temp)).length > 0)
  server.child.kill('SIGTERM')
  expect(await server.exited).toBe(0)
  expect([server.stdout(), await readdir(temp)]).toEqual(['', []])
})

it('closed before it has begun, it doesn’t', async () => {
  const [data, temp] = [await tempDir(), await tempDir()]
  await utimes(temp, 0, 0)
  vi.stubEnv('TMPDIR', temp)
  onTestFinished(() => void vi.unstubAllEnvs())
  const server = built.createServer({ data, port: 0, warmUp: true })
  const refused = expect(server.listen()).rejects.toMatchObject({ code: 'INKWIRE_DESTROYED' })
  await server.close()
  await refused
  expect((await stat(temp)).mtimeMs, 'nothing was ever in it').toBe(0)
})

it('removes nobody else’s folder, nor what a link shows', async () => {
  const [data, temp, elsewhere] = [await tempDir(), await tempDir(), await tempDir()]
  const [foreign, link] = [join(temp, 'inkwire-warm-up-foreign'), join(temp, 'inkwire-warm-up-link')]
  await symlink(elsewhere, link)
  await lutimes(link, 0, 0)
  await mkdir(foreign)
  // Only root can give something away.
  const given = process.getuid?.() === 0
  if (given) await chown(foreign, 12_345, 12_345)
  await utimes(foreign, 0, 0)
  const server = start(data, temp)
  await listens(server)
  expect(await readdir(temp)).toEqual(
    given ? ['inkwire-warm-up-foreign', 'inkwire-warm-up-link'] : ['inkwire-warm-up-link'],
  )
})

it('a server that can’t warm up says so and serves', async () => {
  const data = await tempDir()
  const server = start(data, join(data, 'there is no such folder'))
  await listens(server)
  expect(server.stderr()).toContain('the warm-up failed')
})
