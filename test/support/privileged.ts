import { spawnSync } from 'node:child_process'

/** Whether this process may mount file systems, here and now. */
export const canMount = (): boolean => {
  const tried = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
  return process.getuid?.() === 0 && tried.status === 0
}

/** Whether a command line tool is there. */
export const hasTool = (tool: string): boolean => spawnSync('which', [tool]).status === 0

/** Runs a command to its end. @throws with what it printed when it fails. */
export const run = (command: string, ...args: string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}
