/** Builds the editor pages and serves them, with a server for their documents behind the same address. */
import { fileURLToPath } from 'node:url'
import { build, preview } from 'vite'
import { createServer } from '../../../dist/server/index.js'

const configFile = fileURLToPath(new URL('./vite.config.ts', import.meta.url))
await build({ configFile, logLevel: 'warn' })
const pages = await preview({ configFile, preview: { host: '127.0.0.1' } })
const server = createServer({ data: './data' })
pages.httpServer.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head))
console.log(`Editors at ${pages.resolvedUrls?.local[0]}`)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.close()
    await pages.close()
  })
}
