import { describe, expect, it } from 'vitest'
import { DeviceError, FormatError, serializeError } from '#shared/errors'
import { offlineWords, optionsSummary, refusalWords } from '#src/renderer/features/multicast/form-text.ts'
import { readAdmission } from '#src/renderer/store/index.ts'

describe('a device', () => {
  const device = { name: 'SanDisk Ultra', path: '/dev/sdb' }
  const said = (code: 'E_DENIED' | 'E_SRC_IN_USE', details: object = {}) =>
    refusalWords(
      serializeError(new DeviceError(code, 'no', { details: { path: '/dev/sdb', ...details } })),
      device,
    )

  it('that rights are lacking for comes with what they are and what to do without them', () => {
    const { words, image } = said('E_DENIED')
    expect(words).toContain("Reprise may not read 'SanDisk Ultra' (/dev/sdb)")
    expect(words).toContain('needs administrator rights')
    expect(words).toContain(
      'Make an image of it, which asks for them, and stream that; or run Reprise in a browser, started with sudo.',
    )
    expect(image).toBe(true)
  })

  it('that is empty is said to be, though it lies in a file', () => {
    const details = { format: 'image', field: 'signature', offset: 0 }
    const error = serializeError(new FormatError('E_SRC_FORMAT', 'no', { details }))
    expect(refusalWords(error, { name: 'Practice disk', path: '/home/ann/disk' }).words).toBe(
      "There is nothing on 'Practice disk' to stream: it has no partition map and no file system.",
    )
  })

  it('that can’t be read for another reason comes with that', () => {
    const { words, image } = said('E_SRC_IN_USE', { holders: ['md0'] })
    expect(words).toContain('It is used by md0.')
    expect(image).toBe(false)
  })
})

it.each([
  ['', false, ''],
  ['', true, 'one-way'],
  ['lab-*', false, '1 rule of who may join'],
  ['lab-*\n!lab-07\n*', true, '3 rules of who may join, one-way'],
  ['lab-*\n10.0.3', false, "Who may join isn't right"],
])('says beside More Options what is set there: %j, %j', (text, oneWay, words) =>
  expect(optionsSummary(readAdmission(text), oneWay)).toBe(words),
)

it('says why nothing can be started that has nothing wrong with it', () => {
  const ready = { state: 'ready', reason: null } as const
  expect(offlineWords({ connection: { state: 'open' }, engine: ready })).toBeNull()
  expect(offlineWords({ connection: { state: 'lost', retrying: true }, engine: ready })).toBe(
    'Not connected.',
  )
  expect(
    offlineWords({ connection: { state: 'open' }, engine: { state: 'gone', reason: 'E_ENGINE_GONE' } }),
  ).toBe("The engine isn't running.")
})
