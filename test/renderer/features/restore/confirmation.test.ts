import { describe, expect, it } from 'vitest'
import { aRequest, planFor, practiceDisk, sandisk, systemImage } from '#test/ui-fixtures'
import { confirmationOf } from '#src/renderer/features/restore/confirmation.ts'

const plan = planFor(aRequest(), [sandisk], [systemImage])

describe('what confirms a restore', () => {
  it('is one press on a disk that can be taken away', () => {
    expect(confirmationOf(plan, { internalShown: false })).toBeNull()
  })

  it("is the disk's name, typed, while internal disks are shown", () => {
    expect(confirmationOf(plan, { internalShown: true })).toEqual({
      phrase: 'SanDisk Ultra',
      why: 'While internal disks are shown, the name of every disk has to be typed.',
    })
  })

  it('is what the engine wants, where it wants something', () => {
    const strict = {
      ...plan,
      confirmation: { kind: 'type', phrase: 'ARCHIVE', reasons: ['internal'] },
    } as const
    expect(confirmationOf(strict, { internalShown: true })?.phrase).toBe('ARCHIVE')
  })

  it('is one press on the Practice disk, always', () => {
    const practice = { ...plan, target: { ...plan.target!, disk: practiceDisk } }
    expect(confirmationOf(practice, { internalShown: true })).toBeNull()
  })
})
