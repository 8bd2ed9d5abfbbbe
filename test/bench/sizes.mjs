/**
 * What a client adds to an app that uses Yjs already, beside the same figure of others; prints a Markdown table.
 *
 *     node test/bench/sizes.mjs
 *
 * Each is bundled and minified by esbuild with all that it imports but yjs, lib0 and y-protocols, and gzipped at level
 * 9, as `test/support/size.ts` does for the limits that `npm test` holds. What is imported dynamically doesn't count.
 * The others are installed from the npm registry into `test/bench/peers/sizes`, at the versions below.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PEERS = join(ROOT, 'test/bench/peers/sizes')
const VERSIONS = {
  yjs: '13.6.33',
  'y-protocols': '1.0.7',
  'y-websocket': '3.1.0',
  '@hocuspocus/provider': '4.8.0',
  '@y-sweet/client': '0.9.1',
  '@liveblocks/client': '3.24.2',
  '@liveblocks/yjs': '3.24.2',
}

/** What an app would import; fourth, what of it is measured for itself. */
const CLIENTS = [
  ['inkwire/client', ROOT, `export { InkwireProvider } from './client/index.ts'`],
  ['inkwire/client/textarea', ROOT, `export { bindTextarea } from './client/textarea/index.ts'`],
  [
    'the option `offline` (loaded when asked for)',
    ROOT,
    `export { Device } from './client/offline/device.ts'`,
  ],
  [
    'inkwire/client/shared, beside inkwire/client',
    ROOT,
    `export { InkwireProvider } from './client/index.ts'; export { shared } from './client/shared/index.ts'`,
    `export { InkwireProvider } from './client/index.ts'`,
  ],
  ['y-websocket', PEERS, `export { WebsocketProvider } from 'y-websocket'`],
  ['@hocuspocus/provider', PEERS, `export { HocuspocusProvider } from '@hocuspocus/provider'`],
  ['@y-sweet/client', PEERS, `export { createYjsProvider } from '@y-sweet/client'`],
  [
    '@liveblocks/client and @liveblocks/yjs',
    PEERS,
    `export { createClient } from '@liveblocks/client'; export { getYjsProviderForRoom } from '@liveblocks/yjs'`,
  ],
]

const install = () => {
  mkdirSync(PEERS, { recursive: true })
  writeFileSync(join(PEERS, 'package.json'), JSON.stringify({ private: true, dependencies: VERSIONS }))
  // Only their files are wanted: what they would run on being installed, or need to run, is not.
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--legacy-peer-deps']
  execFileSync('npm', ['install', ...flags], { cwd: PEERS, stdio: ['ignore', 'ignore', 'inherit'] })
}

const measure = async (resolveDir, contents) => {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir, sourcefile: 'app.ts', loader: 'ts' },
    absWorkingDir: resolveDir,
    external: ['yjs', 'lib0', 'lib0/*', 'y-protocols', 'y-protocols/*'],
    conditions: ['browser', 'production'],
    define: { 'process.env.NODE_ENV': '"production"' },
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    outdir: join(resolveDir, 'out'),
    logLevel: 'error',
  })
  const outputs = Object.entries(metafile.outputs)
  const needed = new Set(
    outputs.filter(([, { entryPoint }]) => entryPoint === 'app.ts').map(([path]) => path),
  )
  for (const path of needed) {
    for (const { kind, path: other, external } of metafile.outputs[path].imports) {
      if (kind === 'import-statement' && !external) needed.add(other)
    }
  }
  return outputFiles
    .filter((_, index) => needed.has(outputs[index][0]))
    .map(({ contents: code }) => [code.length, gzipSync(code, { level: 9 }).length])
    .reduce(([a, b], [c, d]) => [a + c, b + d])
}

const versionOf = (name) => {
  const file = name.startsWith('inkwire')
    ? 'package.json'
    : `test/bench/peers/sizes/node_modules/${name}/package.json`
  return JSON.parse(readFileSync(join(ROOT, dirname(file), 'package.json'), 'utf8')).version
}

install()
const bytes = (count) => count.toLocaleString('en')
console.log('| client | version | minified | min+gzip |\n|---|---|--:|--:|')
for (const [name, folder, app, beside] of CLIENTS) {
  const there = beside ? await measure(folder, beside) : [0, 0]
  const [minified, gzipped] = (await measure(folder, app)).map((size, i) => size - there[i])
  const version = versionOf(folder === ROOT ? 'inkwire' : name.split(' ')[0])
  console.log(`| ${name} | ${version} | ${bytes(minified)} | ${bytes(gzipped)} |`)
}
