import { describe, expect, test } from 'vitest'
import { planStream } from '#engine/multicast/layout'
import { createConveyor, type Conveyor } from '#src/main/engine/multicast/sender/conveyor.ts'

/** Ten sections of ten source symbols. */
const layout = planStream({ sizeBytes: 1600, blockBytes: 160, symbolBytes: 16 })
const plain = { afterSources: 0, afterRepairs: 0 }

/** Everything it sends now, as `section:numbers`. */
function drain(conveyor: Conveyor, extra = plain): string[] {
  const runs: { section: number; numbers: number[] }[] = []
  for (let step = conveyor.next(() => extra); step !== null; step = conveyor.next(() => extra)) {
    const last = runs.at(-1)
    if (last?.section === step.section) last.numbers.push(step.number)
    else runs.push({ section: step.section, numbers: [step.number] })
  }
  return runs.map(({ section, numbers }) => `${section}: ${numbers.join(' ')}`)
}

const sources = '0 1 2 3 4 5 6 7 8 9'

describe('the conveyor', () => {
  test('sends nothing that nobody needs', () => {
    expect(drain(createConveyor(layout))).toEqual([])
  })

  test('sends source symbols where everything is lacking, from where it is, around the end', () => {
    const conveyor = createConveyor(layout)
    conveyor.need(7, 255, 0)
    drain(conveyor)
    for (const section of [2, 9, 8]) conveyor.need(section, 255, conveyor.serial)
    expect(conveyor.upcoming(2)).toEqual([8, 9])
    expect(drain(conveyor)).toEqual([`8: ${sources}`, `9: ${sources}`, `2: ${sources}`])
  })

  test('sends as many repair symbols as the worst off lacks, others each time', () => {
    const conveyor = createConveyor(layout)
    for (const lack of [2, 3, 1]) conveyor.need(4, lack, 0)
    expect(drain(conveyor)).toEqual(['4: 10 11 12'])
    conveyor.need(4, 2, conveyor.serial)
    expect(drain(conveyor)).toEqual(['4: 13 14'])
  })

  test('sends few symbols before whole sections, and says so to who reads ahead', () => {
    const conveyor = createConveyor(layout)
    for (const section of [0, 1, 2]) conveyor.need(section, 255, 0)
    conveyor.next(() => plain)
    conveyor.need(8, 1, 0)
    expect(conveyor.upcoming(9)).toEqual([0, 8, 1, 2])
    expect(drain(conveyor)).toEqual([`0: ${sources.slice(2)}`, '8: 10', `1: ${sources}`, `2: ${sources}`])
  })

  test('goes on with its walk although somebody lacks a little of everything, again and again', () => {
    const many = planStream({ sizeBytes: 160 * 2000, blockBytes: 160, symbolBytes: 16 })
    const conveyor = createConveyor(many)
    for (let section = 0; section < 2000; section++) conveyor.need(section, 255, 0)
    let whole = 0
    for (let sent = 0; sent < 60_000 && conveyor.wholeSections > 0; sent++) {
      if (sent % 50 === 0)
        for (let section = 0; section < 2000; section++) conveyor.need(section, 1, conveyor.serial)
      if ((conveyor.next(() => plain)?.number ?? 10) < 10) whole += 1
    }
    expect(conveyor.wholeSections).toBe(0)
    expect(whole).toBeGreaterThan(19_900)
    // What it lacks comes all the same, and nothing when nobody asks any more.
    expect(drain(conveyor).length).toBeLessThanOrEqual(2000)
    expect(conveyor.next(() => plain)).toBeNull()
  })

  test('adds what is to be added', () => {
    const conveyor = createConveyor(layout)
    conveyor.need(0, 255, 0)
    conveyor.need(1, 2, 0)
    expect(drain(conveyor, { afterSources: 2, afterRepairs: 1 })).toEqual([
      '1: 10 11 12',
      `0: ${sources} 10 11`,
    ])
  })

  test('takes off what was sent since the client last looked', () => {
    const conveyor = createConveyor(layout)
    conveyor.need(3, 4, 0)
    drain(conveyor)
    conveyor.need(3, 4, 0)
    expect(drain(conveyor)).toEqual([])
    conveyor.need(3, 6, 0)
    expect(drain(conveyor)).toEqual(['3: 14 15'])
    // It has seen everything, and lacks one all the same.
    conveyor.need(3, 1, conveyor.serial)
    expect(drain(conveyor)).toEqual(['3: 16'])
  })

  test('counts what is still to come of the section that is being sent', () => {
    const conveyor = createConveyor(layout)
    conveyor.need(5, 255, 0)
    for (let index = 0; index < 4; index++) conveyor.next(() => plain)
    // Joined now: the first four are lost to it, the other six are on their way.
    conveyor.need(5, 255, conveyor.serial)
    expect(drain(conveyor)).toEqual(['5: 4 5 6 7 8 9 10 11 12 13'])
  })

  test('serves slow clients when nobody else needs anything, and takes off what helped them too', () => {
    const conveyor = createConveyor(layout)
    conveyor.needLater(2, 5, 0)
    conveyor.needLater(4, 255, 0)
    conveyor.need(2, 2, 0)
    conveyor.need(9, 255, 0)
    expect(drain(conveyor)).toEqual(['2: 10 11', `9: ${sources}`, '2: 12 13 14', `4: ${sources}`])
  })

  test('leaves one section in eight to slow clients while others always need what those have', () => {
    const many = planStream({ sizeBytes: 160 * 1000, blockBytes: 160, symbolBytes: 16 })
    const conveyor = createConveyor(many)
    for (let section = 0; section < 500; section++) conveyor.needLater(section, 255, 0)
    const sent = { first: 0, second: 0 }
    for (let index = 0; index < 32_000; index++) {
      if (conveyor.wholeSections < 100)
        for (let section = 500; section < 1000; section++) conveyor.need(section, 255, conveyor.serial)
      const ahead = conveyor.upcoming(3)
      const section = conveyor.next(() => plain)?.section ?? -1
      // Whoever reads ahead knows.
      expect(ahead[0]).toBe(section)
      sent[section < 500 ? 'first' : 'second'] += 1
    }
    expect(sent.first).toBeGreaterThan(3500)
    expect(sent.first).toBeLessThanOrEqual(4000)
  })

  test('makes no way for slow clients where they need what the others need', () => {
    const conveyor = createConveyor(layout)
    for (let section = 0; section < 10; section++) {
      conveyor.needLater(section, 255, 0)
      if (section !== 4) conveyor.need(section, 255, 0)
    }
    const order = drain(conveyor).map((run) => Number(run.split(':')[0]))
    expect(order).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9, 4])
  })

  test('begins with the sources again when all repair symbols have had their turn', () => {
    const conveyor = createConveyor(layout)
    const numbers = new Set<string>()
    for (let round = 0; round < 50; round++) {
      conveyor.need(0, 5, conveyor.serial)
      for (const run of drain(conveyor)) numbers.add(run)
    }
    expect(numbers.has('0: 252 253 254 255 10')).toBe(false)
    expect([...numbers][48]).toBe('0: 250 251 252 253 254')
    expect([...numbers][49]).toBe('0: 255 10 11 12 13')
  })
})
