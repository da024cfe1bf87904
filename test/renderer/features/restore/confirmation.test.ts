import { describe, expect, it } from 'vitest'
import { aRequest, planFor, practiceDisk, sandisk, systemImage } from '#test/ui-fixtures'
import { agreementOf, confirmationOf } from '#src/renderer/features/restore/confirmation.ts'

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

describe('what is agreed to', () => {
  const [first] = sandisk.volumes
  const planned = (change: Partial<typeof sandisk>) =>
    planFor(aRequest(), [{ ...sandisk, ...change }], [systemImage])

  it('is the same where the disk is fuller by now, or mounted elsewhere', () => {
    const volumes = sandisk.volumes.map((volume) => ({ ...volume, usedBytes: 1e9, mountPoints: ['/mnt'] }))
    expect(agreementOf(planned({ volumes }))).toBe(agreementOf(plan))
  })

  it.each([
    ['another disk', planned({ identity: 'usb-9 another' })],
    ['another size', planned({ sizeBytes: 64e9 })],
    ['another name, which may have to be typed', planned({ name: 'Cruzer' })],
    ['another volume on it', planned({ volumes: [{ ...first!, label: 'WEDDING' }] })],
    ['another file as the source', { ...plan, sourceIdentity: '8:1 4711' }],
    ['no verify', planFor(aRequest({ verify: false }), [sandisk], [systemImage])],
  ])('is something else with %s', (_, other) => expect(agreementOf(other)).not.toBe(agreementOf(plan)))
})
