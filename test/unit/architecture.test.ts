import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8')
const map = text.slice(text.indexOf('| where | does |'), text.indexOf('### Who is who'))

/** What is named in backquotes and looks like a file or a folder of this project. */
const named = [...text.matchAll(/`([\w./-]+(?:\.(?:ts|mjs|c)|\/))`/g)].map(([, path = '']) => path)

/** Where a path in the text may start: here, or within one side. */
const BASES = ['', 'server', 'client']

describe('ARCHITECTURE.md', () => {
  it('names only files and folders that are there', () => {
    expect(named.length).toBeGreaterThan(80)
    expect(named.filter((path) => !BASES.some((base) => existsSync(join(ROOT, base, path))))).toEqual([])
  })

  it('has every folder, and every file beside them in server/, on its map', () => {
    const entries = (side: string): string[] =>
      readdirSync(join(ROOT, side), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() || side === 'server')
        .map((entry) => `${side}/${entry.name}${entry.isDirectory() ? '/' : ''}`)
    const places = [...entries('server'), ...entries('client')].filter((path) => !map.includes(`\`${path}\``))
    // index.ts only gathers what apps import; main.ts, on the map, loads the command line as a part of itself.
    expect(places).toEqual(['server/command-line.ts', 'server/index.ts'])
  })
})
