import { describe, expect, it } from 'vitest'
import { documentName } from '../../server/gate/name.js'

describe('documentName (PROTOCOL W2)', () => {
  const good: [target: string, prefix: string, name: string][] = [
    ['/notes', '/', 'notes'],
    ['/notes?token=a%2Fb', '/', 'notes'],
    ['/a/b/c', '/', 'a/b/c'],
    ['/a%2Fb', '/', 'a/b'],
    ['/caf%C3%A9%20%F0%9F%98%80', '/', 'café 😀'],
    ['/../etc/passwd', '/', '../etc/passwd'],
    ['/__proto__', '/', '__proto__'],
    ['/a%00b', '/', 'a\0b'],
    ['/collab/x', '/collab', 'x'],
    ['/collab/x', '/collab/', 'x'],
    ['/collab/collab/x', '/collab', 'collab/x'],
    ['/x/', '/', 'x/'],
    ['//x', '/', '/x'],
    [`/${'n'.repeat(1024)}`, '/', 'n'.repeat(1024)],
  ]
  for (const [target, prefix, name] of good) {
    it(`${target.slice(0, 40)} under ${prefix}`, () => expect(documentName(target, prefix)).toBe(name))
  }

  const bad: [target: string, prefix: string, why: RegExp][] = [
    ['/', '/', /empty/],
    ['/?a=b', '/', /empty/],
    ['/collab', '/collab', /lie under \/collab\//],
    ['/collabs/x', '/collab', /lie under/],
    ['/%', '/', /percent-encoding/],
    ['/%ff', '/', /percent-encoding/],
    ['/%ED%A0%80', '/', /percent-encoding/],
    [`/${'n'.repeat(1025)}`, '/', /1025 bytes/],
    [`/${'%C3%A9'.repeat(513)}`, '/', /1026 bytes/],
  ]
  for (const [target, prefix, why] of bad) {
    it(`refuses ${target.slice(0, 40)} under ${prefix}`, () => {
      expect(() => documentName(target, prefix)).toThrowError(
        expect.objectContaining({ code: 'INKWIRE_BAD_NAME', message: expect.stringMatching(why) }),
      )
    })
  }
})
