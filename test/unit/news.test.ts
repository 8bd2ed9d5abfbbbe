import { describe, expect, it } from 'vitest'
import { Emitter, type ServerEvents } from '../../server/events.js'
import { News } from '../../server/news.js'
import { silentLog } from '../../server/observe/log.js'

const setup = () => {
  const state = { closing: false }
  const lines: string[] = []
  const say = (level: string) => (_: object, message: string) => void lines.push(`${level}: ${message}`)
  const log = { ...silentLog, info: say('info'), warn: say('warn'), error: say('error') }
  const events = new Emitter<ServerEvents>()
  return { state, lines, events, news: new News({ log, events, closing: () => state.closing }) }
}

describe('News', () => {
  it('of the store go to the log and to the app', () => {
    const { news, lines, events } = setup()
    const told: string[] = []
    events.on('storage', ({ status }) => told.push(status))
    news.storage({ status: 'failing', since: 0, reason: 'no space' })
    news.storage({ status: 'ok' })
    news.storage({ status: 'closed' })
    expect(told).toEqual(['failing', 'ok', 'closed'])
    expect(lines).toEqual(['error: the store does not take writes', 'info: the store takes writes again'])
  })

  it('of lost documents are an error, if there are any', async () => {
    const { news, lines } = setup()
    await news.lost(async () => 0)
    expect(lines).toEqual([])
    await news.lost(async () => 2)
    await news.lost(() => Promise.reject(new Error('unreadable')))
    expect(lines.map((line) => line.slice(0, 29))).toEqual([
      'error: documents that nobody ',
      'warn: whether documents are l',
    ])
  })

  it('are not what fails because the server is being closed', async () => {
    const { news, lines, state } = setup()
    const failed = new Error('closed')
    const fail = async (): Promise<void> => {
      news.recallFailed('a', failed)
      news.compactionFailed('a', failed, false)
      news.compactionFailed('a', failed, true)
      await news.lost(() => Promise.reject(failed))
    }
    await fail()
    expect(lines).toHaveLength(4)
    state.closing = true
    await fail()
    expect(lines).toHaveLength(4)
  })
})
