/**
 * Measures the journal on this machine's disk; prints numbers and judges nothing.
 *
 *     npm run -s build && node test/bench/journal.mjs [seconds per figure, default 5]
 *
 * 1. How many updates a second become durable with 100 authors who each wait for their last one: by group commit, and
 *    by one synced put per update, in the same run.
 * 2. How long an update takes to become durable at a steady 2,000 updates a second.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { openLevelJournal } from '../../dist/server/journal/level.js'

const AUTHORS = 100
const UPDATE = new Uint8Array(40).fill(7)
const seconds = Number(process.argv[2] ?? 5)

const percentile = (sorted, p) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN

const report = (label, count, elapsedMs, latencies) => {
  const sorted = Float64Array.from(latencies).sort()
  const figures = [0.5, 0.99, 0.999].map((p) => `p${p * 100} ${percentile(sorted, p).toFixed(2)} ms`)
  const rate = Math.round((count / elapsedMs) * 1000).toLocaleString('en')
  console.log(`${label.padEnd(48)} ${rate.padStart(9)}/s   ${figures.join('   ')}`)
  return count / elapsedMs
}

/** Opens `count` documents; `append(i)` is author i's and resolves when the update is durable. */
const openDocuments = async (journal, count) => {
  const waiting = Array.from({ length: count }, () => [])
  const logs = []
  for (let i = 0; i < count; i++) {
    const queue = waiting[i]
    logs.push(
      await journal.open(`document ${i}`, (seq) => {
        while (queue.length > 0 && queue[0].seq <= seq) queue.shift().resolve()
      }),
    )
  }
  return (i) =>
    new Promise((resolve) => {
      const seq = logs[i % count].append({ update: UPDATE, time: Date.now(), author: `author ${i}` })
      waiting[i % count].push({ seq, resolve })
    })
}

/** Every author writes, waits for it to be durable, and writes again. */
const inTurns = async (append) => {
  const latencies = []
  const start = performance.now()
  const end = start + seconds * 1000
  const author = async (i) => {
    while (performance.now() < end) {
      const began = performance.now()
      await append(i)
      latencies.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: AUTHORS }, (_, i) => author(i)))
  return { latencies, elapsedMs: performance.now() - start }
}

/** `rate` updates a second, spread over the authors, whatever becomes of them. */
const steadily = async (append, rate) => {
  const latencies = []
  const flying = []
  const start = performance.now()
  let sent = 0
  while (performance.now() - start < seconds * 1000) {
    const due = Math.floor(((performance.now() - start) / 1000) * rate)
    for (; sent < due; sent++) {
      const began = performance.now()
      flying.push(append(sent % AUTHORS).then(() => latencies.push(performance.now() - began)))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(flying)
  return { latencies, elapsedMs: performance.now() - start }
}

const withFolder = async (use) => {
  const directory = await mkdtemp(join(tmpdir(), 'inkwire-bench-'))
  try {
    return await use(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

const withJournal = (durability, use) =>
  withFolder(async (directory) => {
    const commits = { count: 0, ms: 0 }
    const onCommit = ({ durationMs }) => {
      commits.count++
      commits.ms += durationMs
    }
    const journal = await openLevelJournal({ directory, durability, onCommit })
    const cpu = process.cpuUsage()
    const count = await use(journal)
    const { user, system } = process.cpuUsage(cpu)
    const each = ((user + system) / count).toFixed(1)
    const per = (count / commits.count).toFixed(1)
    console.log(
      `${''.padEnd(48)} ${per} updates a commit, ${(commits.ms / commits.count).toFixed(2)} ms each, ${each} µs CPU an update`,
    )
    await journal.close()
  })

console.log(
  `${AUTHORS} authors in ${AUTHORS} documents, ${UPDATE.length} bytes an update, ${seconds} s a figure`,
)

const single = await withFolder(async (directory) => {
  const db = new Level(directory, { keyEncoding: 'view', valueEncoding: 'view' })
  await db.open()
  let n = 0
  let last = Promise.resolve()
  const put = () => {
    const key = Buffer.alloc(8)
    key.writeUInt32BE(n++)
    last = last.then(() => db.put(key, UPDATE, { sync: true }))
    return last
  }
  const { latencies, elapsedMs } = await inTurns(put)
  const rate = report('one synced put per update, one at a time', latencies.length, elapsedMs, latencies)
  await db.close()
  return rate
})

for (const documents of [AUTHORS, 10, 1]) {
  await withJournal('fsync', async (journal) => {
    const { latencies, elapsedMs } = await inTurns(await openDocuments(journal, documents))
    const rate = report(`group commit, fsync, ${documents} documents`, latencies.length, elapsedMs, latencies)
    console.log(`${''.padEnd(48)} ${(rate / single).toFixed(1)} times the rate of single puts`)
    return latencies.length
  })
}

await withJournal('os', async (journal) => {
  const { latencies, elapsedMs } = await inTurns(await openDocuments(journal, AUTHORS))
  report('group commit, os', latencies.length, elapsedMs, latencies)
  return latencies.length
})

for (const rate of [2000, 10_000]) {
  await withJournal('fsync', async (journal) => {
    const { latencies, elapsedMs } = await steadily(await openDocuments(journal, AUTHORS), rate)
    report(`steady ${rate.toLocaleString('en')} updates/s, fsync`, latencies.length, elapsedMs, latencies)
    return latencies.length
  })
}
