import { describe, expect, test } from 'vitest'
import { encodeJournal, journalPlace, parseJournal } from '#src/main/engine/multicast/file/part-journal.ts'

const facts = { sizeBytes: 10_000, blockBytes: 1000, root: new Uint8Array(32).fill(7) }
const journal = { ...facts, turn: 3, have: Uint8Array.of(1, 0, 0, 1, 1, 0, 0, 0, 1, 1) }

describe('the journal of an unfinished file', () => {
  test('comes back as it was written', () => {
    expect(parseJournal(encodeJournal(journal), facts)).toEqual(journal)
  })

  test('lies behind the data, each copy in pages of its own', () => {
    const { offsets, lengthBytes, endBytes } = journalPlace(facts)
    expect(offsets).toEqual([12_288, 16_384])
    expect(endBytes).toBe(20_480)
    expect(lengthBytes).toBe(encodeJournal(journal).length)
  })

  test('is nothing when it is cut, changed anywhere, or of another stream', () => {
    const bytes = encodeJournal(journal)
    expect(parseJournal(bytes.subarray(1), facts)).toBe(null)
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(parseJournal(changed, facts)).toBe(null)
    }
    expect(parseJournal(bytes, { ...facts, root: new Uint8Array(32) })).toBe(null)
    expect(parseJournal(bytes, { ...facts, sizeBytes: 9999 })).toBe(null)
  })
})
