import { expect, it } from 'vitest'
import { checkName } from '../../shared/name.js'

it.each(['a', '..', '/', ' ', '\0', '__proto__', 'é'.repeat(512), '\u{1f600}'.repeat(256)])(
  'W2: %j can be a name',
  (name) => expect(() => checkName(name)).not.toThrow(),
)

it.each([
  ['', 'is empty'],
  ['a'.repeat(1025), 'has 1025 bytes, 1024 are allowed'],
  [`${'é'.repeat(512)}a`, 'has 1025 bytes, 1024 are allowed'],
  ['a\ud800', 'is not well-formed Unicode'],
  ['\udc00\ud800', 'is not well-formed Unicode'],
])('W2: %j can’t be one: it %s', (name, why) => {
  expect(() => checkName(name)).toThrow(
    expect.objectContaining({ code: 'INKWIRE_BAD_NAME', message: `the document name ${why}` }),
  )
})
