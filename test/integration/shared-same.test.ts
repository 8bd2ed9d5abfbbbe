import { describe } from 'vitest'
import { shareByDefault } from '../support/connection.js'

/** The same tests as with a socket each, for the same behaviour. */
describe('with `connection: shared`', async () => {
  shareByDefault()
  await import('./client-server.test.js')
  await import('./client-acks.test.js')
  await import('./client-recovery.test.js')
  await import('./client-tokens.test.js')
  await import('./initial-content.test.js')
  await import('./signals.test.js')
  await import('./client-reference.test.js')
  await import('./synced.test.js')
  await import('./stock-clients.test.js')
})
