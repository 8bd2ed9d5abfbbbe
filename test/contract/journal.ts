/**
 * The rules of the journal's contract (`server/journal/journal.ts`), as one suite that every implementation runs:
 *
 *     describeJournal('memory', () => …)
 */
import { afterEach, beforeEach, describe } from 'vitest'
import { type JournalHarness, StoreUnderTest } from '../support/journal-under-test.js'
import { describeCompacting } from './journal-compacting.js'
import { describeWholeDocuments } from './journal-whole-documents.js'
import { describeWriting } from './journal-writing.js'

/** Runs the contract suite on one kind of journal. */
export const describeJournal = (kind: string, makeHarness: () => Promise<JournalHarness>): void => {
  describe(`the journal's contract, ${kind}`, () => {
    const store = new StoreUnderTest(makeHarness)

    beforeEach(() => store.begin())
    afterEach(() => store.end())

    describeWriting(store)
    describeCompacting(store)
    describeWholeDocuments(store)
  })
}
