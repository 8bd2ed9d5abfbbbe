import { problemWith, type ServerOptions } from '../config.js'
import { DEFAULT_LIMITS, type Limits } from '../limits/limits.js'
import { listOf } from './list-of.js'
import { Setting } from './setting.js'

/** Limits that have an option of their own; the others are for {@link ServerOptions.limits}. */
const FLAGS = {
  maxConnections: ['--max-connections <number>', 'connections of the whole server'],
  maxConnectionsPerAddress: ['--max-connections-per-address <number>', 'connections of one client address'],
  maxConnectionsPerUser: ['--max-connections-per-user <number>', 'connections of one user'],
  maxConnectionsPerDocument: ['--max-connections-per-document <number>', 'connections to one document'],
  maxChannelsPerConnection: ['--max-channels-per-connection <number>', 'documents on one shared connection'],
  maxChannelsPerAddress: [
    '--max-channels-per-address <number>',
    'documents on shared connections of one client address',
  ],
  maxChannels: ['--max-channels <number>', 'documents on shared connections of the whole server'],
  opensPerMinute: ['--opens-per-minute <number>', 'connections that one address may open per minute'],
  requestsPerMinute: ['--requests-per-minute <number>', 'plain HTTP requests of one address per minute'],
  messagesPerSecond: [
    '--messages-per-second <number>',
    'messages that one connection may send in the long run',
  ],
  messagesBurst: ['--messages-burst <number>', 'messages that it may send at once'],
  bytesPerSecond: ['--bytes-per-second <bytes>', 'bytes that one connection may send in the long run'],
  bytesBurst: ['--bytes-burst <bytes>', 'bytes that it may send at once'],
  maxDocumentBytes: ['--max-document <bytes>', 'size that a document may reach'],
} as const satisfies { readonly [Name in keyof Limits]?: readonly [flags: string, description: string] }

type Flagged = keyof typeof FLAGS
const NAMES = Object.keys(FLAGS) as Flagged[]

/** Commander's names of the options about limits: that of the flag, not that of the limit. */
export interface LimitSettings {
  readonly [name: string]: unknown
  readonly trustedProxy?: string
}

/** The options. */
export const limitSettings = (): Setting[] => [
  ...NAMES.map((name) => {
    const [flags, description] = FLAGS[name]
    return new Setting(flags, description, {
      env: true,
      byDefault: String(DEFAULT_LIMITS[name]),
      parse: (text) => {
        const value = /^\d+$/.test(text) ? Number(text) : text
        const problem = problemWith('limits', { [name]: value })
        return problem === null ? { value } : { problem: 'must be a whole number, 1 or more' }
      },
    })
  }),
  new Setting(
    '--trusted-proxy <list>',
    'proxies whose X-Forwarded-For is believed, by commas: 10.0.0.0/8,::1',
    {
      env: true,
      parse: (text) => {
        const problem = problemWith('trustedProxies', listOf(text))
        return problem === null ? { value: text } : { problem }
      },
    },
  ),
]

/** What these options mean for a server. */
export const limitOptions = (settings: LimitSettings): ServerOptions => {
  const limits: { [Name in Flagged]?: number } = {}
  for (const name of NAMES) {
    const value = settings[new Setting(FLAGS[name][0], '').attributeName()]
    if (typeof value === 'number') limits[name] = value
  }
  return { limits, trustedProxies: listOf(settings.trustedProxy) }
}
