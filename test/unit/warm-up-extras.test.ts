import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { Extra } from '../../server/warm-up/extra.js'
import { passBy } from '../../server/warm-up/passer-by.js'

const listening = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A port that nothing listens at any more. */
const closedPort = async (): Promise<number> => {
  const server = createServer()
  const port = await listening(server)
  server.close()
  await once(server, 'close')
  return port
}

/** A server that cuts everybody as soon as they have said something. */
const rudePort = (): Promise<number> =>
  listening(
    createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.resetAndDestroy())
    }),
  )

it.each([
  ['isn’t there', closedPort],
  ['cuts the connection', rudePort],
])('extras and passers-by of a server that %s aren’t missed: the warm-up goes on', async (_what, port) => {
  const at = await port()
  const extra = await Extra.enter(at, '/document', 1, true)
  extra.type()
  extra.move()
  extra.leave()
  await passBy(at)
  // What is thrown away meanwhile must not come back as a rejection that nobody handles.
  await new Promise(setImmediate)
  expect(await Extra.enter(at, '/document', 2, false)).toBeInstanceOf(Extra)
})
