import { describe, expect, test } from 'vitest'
import { BlockLedger } from '#src/main/engine/multicast/client/block-ledger.ts'

describe('the blocks of a reception', () => {
  test('are here from when they are handed out, or by a journal', () => {
    const ledger = new BlockLedger(4, Uint8Array.of(0, 1, 0, 0))
    expect([0, 1, 2, 3].map((block) => ledger.isHere(block))).toEqual([false, true, false, false])
    ledger.handOut(0)
    ledger.handOut(0)
    expect([ledger.isHere(0), ledger.missing]).toEqual([true, 2])
    expect(new BlockLedger(3, null).missing).toBe(3)
  })

  test('are lacking again when they could not be kept', () => {
    const ledger = new BlockLedger(2, null)
    ledger.handOut(1)
    expect([ledger.again(1), ledger.isHere(1), ledger.missing]).toEqual([true, false, 2])
    // Said twice, or of one that nobody was given.
    expect([ledger.again(1), ledger.again(0), ledger.written(0), ledger.missing]).toEqual([
      false,
      false,
      false,
      2,
    ])
  })

  test('are told to the next receiver as what they are: written, or on the way there', () => {
    const ledger = new BlockLedger(4, Uint8Array.of(1, 0, 0, 0))
    ledger.handOut(1)
    ledger.handOut(2)
    expect(ledger.written(2)).toBe(true)
    expect(ledger.snapshot()).toEqual({ have: Uint8Array.of(1, 0, 1, 0), handed: [1] })
    expect(ledger.missing).toBe(1)
  })
})
