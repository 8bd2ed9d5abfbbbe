/**
 * Hocuspocus with SQLite: its SQLite extension is its database extension around better-sqlite3, which has to be
 * compiled; this is the same around the SQLite that comes with Node 22.
 */
import { createRequire } from 'node:module'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

const require = createRequire(`${process.env.INKWIRE_PEERS}/package.json`)
const load = (name) => import(pathToFileURL(require.resolve(name).replace(/\.cjs$/, '.esm.js')).href)
const { Server } = await load('@hocuspocus/server')
const { Database } = await load('@hocuspocus/extension-database')

const db = new DatabaseSync(`${process.env.INKWIRE_BENCH_DATA}/documents.sqlite`)
db.exec('CREATE TABLE IF NOT EXISTS documents (name varchar(255) NOT NULL, data blob NOT NULL, UNIQUE(name))')
const read = db.prepare('SELECT data FROM documents WHERE name = ? ORDER BY rowid DESC')
const write = db.prepare(
  'INSERT INTO documents (name, data) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET data = excluded.data',
)
const server = new Server({
  port: 0,
  address: '127.0.0.1',
  quiet: true,
  extensions: [
    new Database({
      fetch: async ({ documentName }) => read.get(documentName)?.data ?? null,
      store: async ({ documentName, state }) => void write.run(documentName, state),
    }),
  ],
})
await server.listen()
console.log(`http://127.0.0.1:${server.httpServer.address().port}`)
