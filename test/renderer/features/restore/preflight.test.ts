import { describe, expect, it } from 'vitest'
import { serializeError, UsageError } from '#shared/errors'
import type { PreflightCheck } from '#shared/model'
import { shownChecks } from '#src/renderer/features/restore/preflight.ts'

const ok = (name: string): PreflightCheck => ({
  step: 'target',
  state: 'ok',
  kind: 'target-ok',
  name,
  sizeBytes: 1,
})
const losses: PreflightCheck = { step: 'target', state: 'warning', kind: 'losses', names: ['A'] }
const warning: PreflightCheck = { step: 'source', state: 'warning', kind: 'not-checksummed' }
const error = (code: 'E_DST_SMALL' | 'E_NEEDS_ERASE'): PreflightCheck => ({
  step: 'sizes',
  state: 'failed',
  kind: 'error',
  error: serializeError(new UsageError(code, 'x', { details: { input: 'x' } })),
})

describe('the preflight list', () => {
  it("keeps the engine's order", () => {
    const checks = [ok('a'), losses, ok('b')]
    expect(shownChecks(checks)).toEqual(checks)
  })

  it('has five lines, and leaves out what matters least', () => {
    const checks = [ok('a'), ok('b'), ok('c'), ok('d'), warning, losses, error('E_DST_SMALL')]
    expect(shownChecks(checks)).toEqual([ok('a'), ok('b'), warning, losses, error('E_DST_SMALL')])
  })

  it('does not repeat that the tick is missing', () => {
    expect(shownChecks([error('E_NEEDS_ERASE'), ok('a')])).toEqual([ok('a')])
  })
})
