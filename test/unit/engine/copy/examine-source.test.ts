import { expect, it } from 'vitest'
import { isMountedReadOnly } from '#src/main/engine/copy/examine-source.ts'
import { makeDisk, makeVolume } from '#test/fake-disk'

it('holds a disk alone of which a volume is to be unmounted: all others are with it', () => {
  const still = makeVolume({ path: '/dev/sdc1', index: 1, mountPoints: ['/media/a'], mountedReadOnly: true })
  const written = makeVolume({ path: '/dev/sdc2', index: 2, mountPoints: ['/media/b'] })
  const disk = makeDisk({ path: '/dev/sdc', volumes: [still, written] })
  expect(isMountedReadOnly({ disk, volume: null, mountPoints: ['/media/b'] })).toBe(false)
  const quiet = makeDisk({ path: '/dev/sdc', volumes: [still, { ...written, mountPoints: [] }] })
  expect(isMountedReadOnly({ disk: quiet, volume: null, mountPoints: [] })).toBe(true)
})

it('holds no partition of a disk alone that is mounted as a whole', () => {
  const volume = makeVolume({ path: '/dev/sdc1', index: 1, mountPoints: [] })
  const whole = makeVolume({
    path: '/dev/sdc',
    index: 0,
    mountPoints: ['/media/hybrid'],
    mountedReadOnly: true,
  })
  const other = makeVolume({ path: '/dev/sdc2', index: 2, mountPoints: ['/media/other'] })
  const source = { volume, mountPoints: [] }
  expect(
    isMountedReadOnly({ ...source, disk: makeDisk({ path: '/dev/sdc', volumes: [whole, volume] }) }),
  ).toBe(true)
  const written = { ...whole, mountedReadOnly: false }
  for (const beside of [other, written])
    expect(
      isMountedReadOnly({ ...source, disk: makeDisk({ path: '/dev/sdc', volumes: [volume, beside] }) }),
    ).toBe(false)
})
