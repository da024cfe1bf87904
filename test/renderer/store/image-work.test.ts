import { expect, it } from 'vitest'
import { imageCan, type ImageWork, type ViewState } from '#renderer/store'
import { anImage } from '#test/ui-fixtures'
import type { ImageFormat } from '#shared/model'

const encrypted = { bits: 256, version: 2 } as const

it.each([
  ['UDSB', 'resize', true],
  ['UDSB', 'compact', true],
  ['UDSP', 'resize', true],
  ['UDSP', 'compact', true],
  ['raw', 'resize', true],
  ['UDRW', 'resize', true],
  ['UDZO', 'convert', true],
  ['UDSB', 'verify', true],
  ['UDZO', 'scan', false],
  ['UDZO', 'add-checksum', false],
] as const satisfies readonly (readonly [ImageFormat, ImageWork, boolean])[])(
  'an encrypted %s image can be meant by %s: %s',
  (format, work, can) => {
    const path = '/images/a'
    const of = (info: ReturnType<typeof anImage>) =>
      imageCan({ images: [{ path, state: 'ready', info }] } as unknown as ViewState, path, work)
    expect(of(anImage({ path, format, encrypted }))).toBe(can)
    expect(of(anImage({ path, format, encrypted: null }))).toBe(true)
  },
)

it.each([
  ['UDSB', 'resize', true],
  ['UDSP', 'resize', false],
  ['UDSP', 'compact', false],
  ['UDRW', 'resize', false],
] as const)('a %s image encrypted in the oldest way can be meant by %s: %s', (format, work, can) => {
  const path = '/images/a'
  const info = anImage({ path, format, encrypted: { bits: 128, version: 1 } })
  expect(imageCan({ images: [{ path, state: 'ready', info }] } as unknown as ViewState, path, work)).toBe(can)
})

it.each([
  ['E_SRC_CORRUPT', false],
  ['E_ENGINE_GONE', true],
  ['E_HOST_LOST', true],
] as const)('an image that could not be read by %s can be meant: %s', (code, can) => {
  const path = '/images/a'
  const image = { path, state: 'failed', info: null, error: { code } }
  expect(imageCan({ images: [image] } as unknown as ViewState, path, 'verify')).toBe(can)
})
