/**
 * What sharing a connection changes: several users, each with the same documents open, with a socket for each document
 * and with one for all. Prints a Markdown table and judges nothing.
 *
 *     npm run build && node test/bench/shared.mjs [users, default 10] [documents, default 30]
 *
 * The server is a process of its own, on a folder of its own; all users are in this one. Each mode has a new server. CPU
 * and memory are what the operating system says of the server's process. Bytes are counted at the users' sockets,
 * handshakes included, IP and TCP headers not.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { InkwireProvider } from '../../dist/client/index.js'
import { shared } from '../../dist/client/shared/index.js'

const USERS = Number(process.argv[2] ?? 10)
const DOCUMENTS = Number(process.argv[3] ?? 30)
/** Edits whose way to another user is timed, one after the other. */
const TIMED = 300
/** Then all users type at once, one in each document: so many edits each, ms apart. */
const TYPED = 50
const APART_MS = 100
const MAIN = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url))
const TICKS = 100

const serve = async () => {
  const data = mkdtempSync(join(tmpdir(), 'inkwire-shared-'))
  const args = [MAIN, 'serve', '--port', '0', '--data', data, '--no-demo', '--log-level', 'error']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  const url = await new Promise((resolve) => {
    child.stdout.on('data', (text) => {
      printed += text
      const found = /http:\/\/[^\s/]+/.exec(printed)
      if (found) resolve(found[0].replace(/\.$/, ''))
    })
  })
  const end = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill()
    await ended
    rmSync(data, { recursive: true })
  }
  return { url, ws: url.replace('http', 'ws'), pid: child.pid, end }
}

const cpuMs = (pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1000
}
const residentKiB = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1])
const metric = async (url, name) =>
  Number(new RegExp(`^${name} (\\S+)`, 'm').exec(await (await fetch(`${url}/metrics`)).text())[1])
const until = async (condition) => {
  while (!condition()) await delay(1)
}
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))]

const measure = async (connection) => {
  const server = await serve()
  const sockets = []
  /** A user's WebSocket class: users share nothing. */
  const own = () =>
    class extends WebSocket {
      constructor(...args) {
        super(...args)
        sockets.push(this)
      }
    }
  const bytes = () =>
    sockets.reduce((sum, { _socket }) => sum + (_socket ? _socket.bytesRead + _socket.bytesWritten : 0), 0)
  await delay(1500)
  const [memory, cpu, began] = [residentKiB(server.pid), cpuMs(server.pid), performance.now()]
  const users = Array.from({ length: USERS }, () => {
    const WebSocketPolyfill = own()
    return Array.from({ length: DOCUMENTS }, (_, i) => {
      const options = { WebSocketPolyfill, connection, disableBc: true }
      return new InkwireProvider(server.ws, `board/card-${i}`, new Y.Doc(), options)
    })
  })
  const all = users.flat()
  await Promise.all(all.map((provider) => provider.whenSynced))
  const synced = performance.now() - began
  await Promise.all(all.map((provider) => provider.whenSaved()))
  await delay(1500)
  const result = {
    sockets: await metric(server.url, 'inkwire_connections'),
    synced,
    joinCpu: cpuMs(server.pid) - cpu,
    memory: (residentKiB(server.pid) - memory) / all.length,
    joinBytes: bytes() / all.length,
  }

  const latencies = []
  for (let i = 0; i < TIMED; i++) {
    const [from, to] = [users[i % USERS], users[(i + 1) % USERS]].map((each) => each[i % DOCUMENTS])
    const seen = new Promise((resolve) => to.doc.once('update', resolve))
    const at = performance.now()
    from.doc.getText('t').insert(0, 'x')
    await seen
    latencies.push(performance.now() - at)
    await delay(5)
  }
  await Promise.all(all.map((provider) => provider.whenSaved()))

  const [typingCpu, typingBytes] = [cpuMs(server.pid), bytes()]
  for (let i = 0; i < TYPED; i++) {
    for (let card = 0; card < DOCUMENTS; card++) users[card % USERS][card].doc.getText('t').insert(0, 'y')
    await delay(APART_MS)
  }
  await until(() => all.every(({ doc }) => doc.getText('t').length === TYPED + TIMED / DOCUMENTS))
  await Promise.all(all.map((provider) => provider.whenSaved()))
  const deliveries = TYPED * DOCUMENTS * (USERS - 1)
  Object.assign(result, {
    median: quantile(latencies, 0.5),
    p95: quantile(latencies, 0.95),
    typingCpu: ((cpuMs(server.pid) - typingCpu) * 1000) / deliveries,
    typingBytes: (bytes() - typingBytes) / deliveries,
  })
  for (const provider of all) provider.destroy()
  await server.end()
  return result
}

const [each, one] = [await measure(undefined), await measure(shared)]
const row = (what, name, digits) =>
  `| ${what} | ${each[name].toFixed(digits)} | ${one[name].toFixed(digits)} |`
console.log(`${USERS} users with ${DOCUMENTS} documents each, Node ${process.version}\n`)
console.log(
  [
    '| | a socket each | shared |',
    '|---|--:|--:|',
    row('sockets', 'sockets', 0),
    row('until all are synced, ms', 'synced', 0),
    row('server: CPU until then and 1.5 s on, ms', 'joinCpu', 0),
    row('server: memory, KiB for each document of a user', 'memory', 1),
    row('bytes on the wire until then, for each document of a user', 'joinBytes', 0),
    row('an edit, until another user has it: median, ms', 'median', 2),
    row('… p95, ms', 'p95', 2),
    row('all type: server CPU, µs for each delivery', 'typingCpu', 1),
    row('all type: bytes on the wire for each delivery, acks included', 'typingBytes', 0),
  ].join('\n'),
)
process.exit(0)
