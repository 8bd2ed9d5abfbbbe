/** Builds the editor pages and serves them, with a server for their documents behind the same address. */
import { fileURLToPath } from 'node:url'
import { build, preview } from 'vite'
import { createServer } from '../../../dist/server/index.js'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const configFile = at('./vite.config.ts')
/** A folder of its own, so that it runs beside `npm start`: a store has one server. */
const [data = at('./data')] = process.argv.slice(2)
const server = createServer({ data, logLevel: 'warn' })

try {
  // Opens the store: without it the pages would wait for a connection and nobody would know why.
  await server.documents.stats('editors/codemirror')
} catch (error) {
  console.error(`The documents can’t be opened: ${error.message}`)
  process.exit(1)
}
await build({ configFile, logLevel: 'warn' })
const pages = await preview({ configFile, preview: { host: '127.0.0.1' } })
pages.httpServer.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head))
console.log(`Editors at ${pages.resolvedUrls?.local[0]}`)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.close()
    await pages.close()
  })
}
