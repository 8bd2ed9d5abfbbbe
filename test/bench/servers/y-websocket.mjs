/** y-websocket-server with LevelDB, as its own bin sets it up; on a free port. Runs in the folder of the peers. */
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(`${process.env.INKWIRE_PEERS}/package.json`)
const load = (name) => import(pathToFileURL(require.resolve(name)).href)
process.env.YPERSISTENCE = process.env.INKWIRE_BENCH_DATA
const { default: WebSocket } = await load('ws')
const { setupWSConnection } = await import(
  pathToFileURL(`${process.env.INKWIRE_PEERS}/node_modules/@y/websocket-server/src/utils.js`).href
)
const server = createServer()
const sockets = new WebSocket.Server({ noServer: true })
sockets.on('connection', setupWSConnection)
server.on('upgrade', (request, socket, head) =>
  sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request)),
)
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
