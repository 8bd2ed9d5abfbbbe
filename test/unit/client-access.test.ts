import { ObservableV2 } from 'lib0/observable'
import { describe, expect, it } from 'vitest'
import type { WebsocketProvider } from 'y-websocket'
import { followAccess } from '../../client/access/index.js'
import type { Access, InkwireProvider } from '../../client/index.js'
import type { ProviderLike } from '../../client/textarea/index.js'

/** As much of a provider as there has to be. */
class Provider extends ObservableV2<{ access: (access: Access) => void }> {
  access: Access | null

  constructor(access: Access | null) {
    super()
    this.access = access
  }

  say(access: Access): void {
    this.access = access
    this.emit('access', [access])
  }
}

const heardFrom = (provider: Provider) => {
  const heard: boolean[] = []
  const stop = followAccess(provider, (mayWrite) => heard.push(mayWrite))
  return { heard, stop }
}

it('a textarea takes y-websocket’s provider and ours, by their types', () => {
  const fits = (provider: WebsocketProvider | InkwireProvider): ProviderLike => provider
  expect(fits).toBeTypeOf('function')
})

describe('followAccess', () => {
  it.each([
    [null, true],
    ['read', false],
    ['write', true],
    ['admin', true],
  ] as const)('says at once what %s means: %s', (access, mayWrite) => {
    expect(heardFrom(new Provider(access)).heard).toEqual([mayWrite])
  })

  it('says what changes, and nothing when a new connection brings the same', () => {
    const provider = new Provider(null)
    const { heard } = heardFrom(provider)
    for (const access of ['write', 'admin', 'read', 'read', 'write'] as const) provider.say(access)
    expect(heard).toEqual([true, false, true])
  })

  it('says nothing more once it was stopped', () => {
    const provider = new Provider('write')
    const { heard, stop } = heardFrom(provider)
    stop()
    provider.say('read')
    expect(heard).toEqual([true])
    expect(provider._observers.get('access')?.size ?? 0).toBe(0)
  })
})
