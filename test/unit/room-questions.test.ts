import { describe, expect, it } from 'vitest'
import { Questions } from '../../server/room/questions.js'
import { FakeMember } from '../support/fake-member.js'

class Reader extends FakeMember {
  behind = false
  override get congested(): boolean {
    return this.behind
  }
}

const setup = () => {
  const at = { ms: 0 }
  const member = new Reader(false)
  const questions = new Questions({ stateVector: () => Uint8Array.of(0), clock: () => at.ms })
  return { at, member, questions }
}

describe('Questions (PROTOCOL S5)', () => {
  it('are asked once until they are answered', () => {
    const { member, questions } = setup()
    questions.ask(member)
    questions.ask(member)
    questions.retry(member)
    expect(member.calls).toEqual(['missing?'])
    questions.answered(member)
    questions.retry(member)
    expect(member.calls).toEqual(['missing?'])
    questions.ask(member)
    expect(member.calls).toEqual(['missing?', 'missing?'])
  })

  it('wait until the member has read what it was told', () => {
    const { member, questions } = setup()
    member.behind = true
    questions.ask(member)
    questions.retry(member)
    expect(member.calls).toEqual([])
    member.behind = false
    questions.retry(member)
    expect(member.calls).toEqual(['missing?'])
  })

  it('are 20 at once, then one a second; nothing is kept of who has left', () => {
    const { at, member, questions } = setup()
    for (let i = 0; i < 30; i++) {
      questions.ask(member)
      questions.answered(member)
    }
    expect(member.calls.length).toBe(20)
    at.ms = 1000
    questions.retry(member)
    questions.answered(member)
    questions.ask(member)
    expect(member.calls.length).toBe(21)
    questions.leave(member)
    at.ms = 5000
    questions.retry(member)
    expect(member.calls.length).toBe(21)
  })
})
