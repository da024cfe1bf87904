import { describe, expect, it } from 'vitest'
import { DeviceError, serializeError, UsageError } from '#shared/errors'
import type { PreflightCheck } from '#shared/model'
import { checkWords, shownChecks } from '#src/renderer/features/restore/preflight.ts'
import { systemImage } from '#test/ui-fixtures'

const scan = systemImage.scan!

const ok = (name: string): PreflightCheck => ({
  step: 'target',
  state: 'ok',
  kind: 'target-ok',
  name,
  sizeBytes: 1,
})
const losses: PreflightCheck = { step: 'target', state: 'warning', kind: 'losses', names: ['A'] }
const warning: PreflightCheck = { step: 'source', state: 'warning', kind: 'not-checksummed' }
const error = (
  code: 'E_DST_SMALL' | 'E_DST_EXISTS' | 'E_NEEDS_ERASE' | 'E_SRC_MULTIVOL',
): PreflightCheck => ({
  step: 'sizes',
  state: 'failed',
  kind: 'error',
  error: serializeError(new UsageError(code, 'x', { details: { input: 'x' } })),
})

describe('the preflight list', () => {
  it("begins with what is lost, and keeps the engine's order of the rest", () => {
    expect(shownChecks([ok('a'), losses, ok('b')])).toEqual([losses, ok('a'), ok('b')])
  })

  it('has five lines, and leaves out what matters least', () => {
    const checks = [ok('a'), ok('b'), ok('c'), ok('d'), warning, losses, error('E_DST_SMALL')]
    expect(shownChecks(checks)).toEqual([error('E_DST_SMALL'), losses, warning, ok('a'), ok('b')])
  })

  it('always says what will be unmounted, and every warning', () => {
    const unmounts: PreflightCheck = { step: 'target', state: 'ok', kind: 'unmounts', mountPoints: ['/mnt'] }
    const checks = [ok('a'), warning, warning, warning, warning, losses, unmounts]
    expect(shownChecks(checks)).toEqual([losses, unmounts, warning, warning, warning, warning])
  })

  it('always says that only a part of the image is restored', () => {
    const part: PreflightCheck = {
      step: 'source',
      state: 'ok',
      kind: 'only-volume',
      names: ['Lab'],
      partition: 2,
    }
    const checks = [ok('a'), losses, ok('b'), warning, warning, warning, part]
    expect(shownChecks(checks)).toEqual([losses, warning, warning, warning, part])
  })

  it('says what the wells say already last', () => {
    const fits: PreflightCheck = {
      step: 'sizes',
      state: 'ok',
      kind: 'fits',
      neededBytes: 1,
      availableBytes: 2,
    }
    expect(shownChecks([ok('a'), ok('b'), warning, losses, fits])[2]).toEqual(fits)
  })

  it('says with which checksum an image will be compared that holds none, which no well says', () => {
    const source = { step: 'source', state: 'ok', kind: 'source-ok', name: 'a.img', format: 'raw' } as const
    const beside: PreflightCheck = { ...source, checksums: 'beside' }
    const inside: PreflightCheck = { ...source, checksums: 'inside' }
    expect(shownChecks([ok('a'), beside, losses])).toEqual([losses, beside, ok('a')])
    expect(shownChecks([ok('a'), inside, losses])).toEqual([losses, ok('a'), inside])
  })

  it('says that the image was scanned, and when, where its well says the rest', () => {
    const source = { step: 'source', state: 'ok', kind: 'source-ok', name: 'a.dmg', format: 'ULFO' } as const
    const inside: PreflightCheck = { ...source, checksums: 'inside' }
    expect(shownChecks([ok('a'), inside, losses], scan)).toEqual([losses, inside, ok('a')])
    expect(checkWords(inside, {}, scan)).toMatch(/^Scanned .*2026.*, SHA-256$/)
    expect(checkWords(inside, {}, { ...scan, dateMs: null })).toBe('Scanned, SHA-256')
    expect(checkWords(inside, {}, null)).toContain('with checksums')
    // What it is compared with is another thing then.
    expect(checkWords({ ...source, checksums: 'beside' }, {}, scan)).toContain('compared with the SHA-256')
  })

  it('does not repeat that the tick is missing', () => {
    expect(shownChecks([error('E_NEEDS_ERASE'), error('E_DST_EXISTS'), ok('a')])).toEqual([ok('a')])
  })

  it('does not tell of the volumes what the pop-up above it asks', () => {
    expect(shownChecks([error('E_SRC_MULTIVOL'), ok('a')])).toEqual([ok('a')])
  })
})

describe('a line of it', () => {
  it('says of what fails also what to do', () => {
    expect(checkWords(error('E_DST_SMALL'), { target: 'SanDisk' })).toBe(
      "'SanDisk' is too small. Choose a larger destination.",
    )
    const busy = serializeError(
      new DeviceError('E_DST_BUSY', 'x', { details: { path: '/dev/sdb', holders: ['dd (12)'] } }),
    )
    expect(checkWords({ step: 'target', state: 'failed', kind: 'error', error: busy }, {})).toBe(
      "'/dev/sdb' is in use. It is used by dd (12). Close what is using it and try again.",
    )
    expect(checkWords(losses, {})).toBe('Will be lost: A')
  })
})
