/** A disk that fills up and is freed later: nothing acknowledged is lost, nothing queued is lost. */
import { cp, mkdtemp, open, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JournalState } from '../../server/journal/journal.js'
import { type LevelJournal, openLevelJournal } from '../../server/journal/level.js'
import { canMount, run } from '../support/privileged.js'
import { until } from '../support/until.js'
import { documentName, updateOf } from './journal-contents.js'

const MB = 1024 * 1024
const DISK = 32 * MB
const BALLAST = 4 * MB

const mountable = canMount()
if (!mountable) console.log('skipped: a full disk needs the right to mount a tmpfs')

describe.runIf(mountable)('a full disk', () => {
  let root: string
  let disk: string
  let journal: LevelJournal
  let states: JournalState['status'][]

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'inkwire-full-'))
    disk = join(root, 'disk')
    run('mkdir', disk)
    run('mount', '-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', disk)
    states = []
    journal = await openJournal()
  })

  afterEach(async () => {
    await journal.close()
    run('umount', disk)
    await rm(root, { recursive: true })
  })

  const openJournal = async (): Promise<LevelJournal> => {
    const opened = await openLevelJournal({ directory: join(disk, 'data'), ballastBytes: BALLAST })
    opened.onState(({ status }) => states.push(status))
    return opened
  }

  const ballast = (): Promise<number> =>
    stat(join(disk, 'data', 'ballast')).then(
      ({ size }) => size,
      () => 0,
    )

  /** Another program takes all room but `left` bytes. */
  const fillUp = async (left: number): Promise<void> => {
    const filler = await open(join(disk, 'filler'), 'a')
    const { bavail, bsize } = await statfs(disk)
    try {
      for (let room = bavail * bsize - left; room > 0; room -= bsize)
        await filler.write(Buffer.alloc(bsize, 1))
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' })
    } finally {
      await filler.close()
    }
  }

  /** Fills the disk while the document is written to, until the ballast is used up as well. */
  const fillForGood = async (append: (count: number) => void): Promise<void> => {
    await until('there is ballast', async () => (await ballast()) === BALLAST)
    await fillUp(MB)
    await until('the ballast is gone, and the room that it made', async () => {
      if (journal.queuedBytes < MB) append(20)
      if ((await ballast()) === 0) await fillUp(0)
      return (await ballast()) === 0 && journal.state.status === 'failing' && journal.queuedBytes >= MB
    })
  }

  /** A document that is written to until told otherwise. */
  const writer = async (index: number) => {
    const name = documentName(index)
    let durable = 0
    const log = await journal.open(name, (seq) => {
      durable = seq
    })
    let last = log.document.seq
    const padding = Buffer.alloc(4000, 7)
    const append = (count: number): void => {
      for (; count > 0; count--) {
        const update = Buffer.concat([updateOf(name, ++last), padding])
        log.append({ update, time: Date.now(), author: `author ${index}` })
      }
    }
    return {
      append,
      log,
      get durable() {
        return durable
      },
      get last() {
        return last
      },
    }
  }

  /** What a restart would find now, on a disk with room. */
  const onDisk = async (name: string): Promise<number> => {
    const copy = join(root, `copy ${Math.random()}`)
    await cp(join(disk, 'data'), copy, { recursive: true })
    const restarted = await openLevelJournal({ directory: copy, ballastBytes: 0 })
    const document = await restarted.read(name)
    for (const entry of document?.tail ?? []) {
      expect(Buffer.compare(entry.update.subarray(0, -4000), updateOf(name, entry.seq))).toBe(0)
    }
    await restarted.close()
    return document?.seq ?? 0
  }

  test('stops the acknowledgements, keeps what comes, and saves it all when there is room again', async () => {
    const a = await writer(0)
    const b = await writer(1)
    a.append(10)
    b.append(10)
    await until('all is durable', () => a.durable === a.last && b.durable === b.last)
    await fillForGood((count) => {
      a.append(count)
      b.append(count)
    })
    expect(states).toContain('failing')
    const acknowledged = [a.durable, b.durable]
    expect(await onDisk(documentName(0))).toBeGreaterThanOrEqual(acknowledged[0] ?? 0)
    expect(await onDisk(documentName(1))).toBeGreaterThanOrEqual(acknowledged[1] ?? 0)
    // Old documents can be read, new ones are refused.
    expect((await journal.read(documentName(0)))?.seq).toBeGreaterThanOrEqual(acknowledged[0] ?? 0)
    await expect(journal.open('new', () => {})).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
    a.append(50)
    await rm(join(disk, 'filler'))
    await until('all is saved', () => a.durable === a.last && b.durable === b.last, 30_000)
    expect(journal.state.status).toBe('ok')
    expect(journal.queuedBytes).toBe(0)
    await until('there is ballast again', async () => (await ballast()) === BALLAST, 30_000)
    a.log.release()
    b.log.release()
    expect(await journal.close()).toEqual({ unsaved: [] })
    expect(await onDisk(documentName(0))).toBe(a.last)
    expect(await onDisk(documentName(1))).toBe(b.last)
    journal = await openJournal()
  })

  test('at shutdown: tells what is not saved, in time', async () => {
    const a = await writer(0)
    await fillForGood(a.append)
    const started = performance.now()
    const { unsaved } = await journal.close(300)
    expect(performance.now() - started).toBeLessThan(5000)
    expect(unsaved).toEqual([{ name: documentName(0), updates: a.last - a.durable }])
    await rm(join(disk, 'filler'))
    expect(await onDisk(documentName(0))).toBeGreaterThanOrEqual(a.durable)
    journal = await openJournal()
    expect((await journal.read(documentName(0)))?.seq).toBeGreaterThanOrEqual(a.durable)
  })

  test('full from the start, with ballast: opens all the same', async () => {
    const a = await writer(0)
    a.append(500)
    await until('it is durable', () => a.durable === a.last)
    a.log.release()
    await until('there is ballast', async () => (await ballast()) === BALLAST)
    await journal.close()
    await fillUp(0)
    journal = await openJournal()
    expect((await journal.read(documentName(0)))?.seq).toBe(500)
  })
})
