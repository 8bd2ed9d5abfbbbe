#!/usr/bin/env node
/** The program that people start. Small: a server may have to be started again before anything is loaded. */
import { thriftyStart } from './cli/thrifty-start.js'

const again = thriftyStart({
  argv: process.argv,
  execArgv: process.execArgv,
  env: process.env,
  version: process.versions.node,
  hasParent: process.send !== undefined,
})
// Node 22.15 and later, not on Windows. The same process goes on: its id, its files and whoever waits for it.
if (again !== null && 'execve' in process && typeof process.execve === 'function') {
  process.execve(process.execPath, [process.execPath, ...again.args], again.env)
}

await import('./command-line.js')
