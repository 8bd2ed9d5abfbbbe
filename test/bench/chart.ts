import type { Name } from './contenders.js'

/** A group of bars. */
export interface Group {
  readonly label: string
  readonly unit: string
  readonly values: readonly (readonly [name: Name, value: number])[]
}

const COLORS: Readonly<Record<Name, string>> = {
  inkwire: '#0b7285',
  'y-websocket-server': '#c2255c',
  hocuspocus: '#e67700',
  naive: '#868e96',
  floor: '#adb5bd',
}
const [WIDTH, LEFT, BAR, GAP, TITLE] = [760, 150, 18, 6, 34]

const escaped = (text: string): string => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)

const shown = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2)

/** Bars side by side, each group to a scale of its own; readable on light and dark pages. */
export const barChart = (groups: readonly Group[]): string => {
  let y = 8
  const parts: string[] = []
  for (const { label, unit, values } of groups) {
    const most = Math.max(...values.map(([, value]) => value))
    parts.push(
      `<text x="0" y="${y + 16}" class="title">${escaped(label)} <tspan class="unit">${escaped(unit)}</tspan></text>`,
    )
    y += TITLE - 8
    for (const [name, value] of values) {
      const width = Math.max(2, (value / most) * (WIDTH - LEFT - 80))
      parts.push(
        `<text x="${LEFT - 10}" y="${y + 13}" text-anchor="end">${escaped(name)}</text>`,
        `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="3" fill="${COLORS[name]}"/>`,
        `<text x="${LEFT + width + 8}" y="${y + 13}">${shown(value)}</text>`,
      )
      y += BAR + GAP
    }
    y += 14
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
<title>The server beside its peers</title>
<style>text{font:13px system-ui,sans-serif;fill:#495057}.title{font-weight:600;font-size:14px}.unit{font-weight:400}@media(prefers-color-scheme:dark){text{fill:#ced4da}}</style>
${parts.join('\n')}
</svg>
`
}

/** A line over a long run: one value at each step. */
export const lineChart = (
  title: string,
  series: readonly {
    readonly label: string
    readonly color: string
    readonly points: readonly (readonly [number, number])[]
  }[],
  axis: { readonly x: string; readonly y: string },
): string => {
  const [width, height, left, top, bottom] = [760, 320, 60, 40, 40]
  const all = series.flatMap(({ points }) => points)
  const mostX = Math.max(...all.map(([x]) => x))
  const mostY = Math.max(...all.map(([, y]) => y)) * 1.15
  const at = ([x, y]: readonly [number, number]): string =>
    `${(left + (x / mostX) * (width - left - 20)).toFixed(1)},${(height - bottom - (y / mostY) * (height - top - bottom)).toFixed(1)}`
  const lines = series.map(
    ({ label, color, points }, i) =>
      `<polyline fill="none" stroke="${color}" stroke-width="2" points="${points.map(at).join(' ')}"/>` +
      `<text x="${left + 10 + i * 220}" y="${top - 8}" style="fill:${color}">${escaped(label)}</text>`,
  )
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const y = height - bottom - part * (height - top - bottom)
    return `<line x1="${left}" x2="${width - 20}" y1="${y}" y2="${y}" class="grid"/><text x="${left - 8}" y="${y + 4}" text-anchor="end">${part === 0 ? '0' : shown(part * mostY)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>text{font:12px system-ui,sans-serif;fill:#495057}.title{font-weight:600;font-size:14px}.grid{stroke:#adb5bd55}@media(prefers-color-scheme:dark){text{fill:#ced4da}}</style>
<text x="0" y="16" class="title">${escaped(title)}</text>
${grid.join('\n')}
${lines.join('\n')}
<text x="${width - 20}" y="${height - 10}" text-anchor="end">${escaped(axis.x)}</text><text x="0" y="${height - 10}">${escaped(axis.y)}</text>
</svg>
`
}
