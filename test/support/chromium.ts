import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

/** Where a Chromium lies and what it needs around it. */
export interface Chromium {
  readonly executablePath: string
  readonly env: Readonly<Record<string, string>>
}

const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url))
const carrier = join(modules, '@sparticuz/chromium')

/**
 * Unpacks the Chromium that a dev dependency carries, once per machine and version, with the shared
 * libraries and the font that a bare machine lacks. `INKWIRE_CHROMIUM` names another one to use instead.
 */
export const findChromium = async (): Promise<Chromium> => {
  const own = process.env.INKWIRE_CHROMIUM
  if (own) return { executablePath: own, env: {} }
  const { version } = JSON.parse(await readFile(join(carrier, 'package.json'), 'utf8')) as { version: string }
  const folder = join(modules, '.cache', `inkwire-chromium-${version}`)
  if (!(await exists(folder))) await unpack(folder)
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      LD_LIBRARY_PATH: join(folder, 'al2023/lib'),
      FONTCONFIG_PATH: join(folder, 'fonts'),
      HOME: folder,
    },
  }
}

/** Other test files may be at it too: each unpacks beside, and the first to finish puts its own in place. */
const unpack = async (folder: string): Promise<void> => {
  await mkdir(dirname(folder), { recursive: true })
  const staging = await mkdtemp(`${folder}-`)
  try {
    // The package unpacks into the temporary directory, and its libraries only where it believes it is on
    // Amazon Linux: both are told by the environment, hence a process of its own.
    const entry = pathToFileURL(join(carrier, 'build/esm/index.js')).href
    await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', `await (await import('${entry}')).default.executablePath()`],
      { env: { ...process.env, TMPDIR: staging, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' } },
    )
    await writeFile(join(staging, 'fonts/fonts.conf'), fontsConf(folder))
    await rename(staging, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error
    })
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** The package's own names fixed folders; without any font the browser crashes. */
const fontsConf = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">.</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(folder, 'fonts-cache')}</cachedir>
</fontconfig>
`
