import { describe, expect, it } from 'vitest'
import { VerificationError, serializeError } from '#shared/errors'
import { aJob, aRequest, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { copiedShare } from '#src/renderer/features/restore/copied-share.ts'

const plan = planFor(aRequest(), [sandisk], [systemImage])

describe('how far the arrow is', () => {
  it('is how much was copied, and all of it while that is read back', () => {
    expect(copiedShare(aJob(plan, { phase: 'unmounting' }))).toBeNull()
    expect(copiedShare(aJob(plan, { phase: 'restoring', percent: 43 }))).toBe(0.43)
    expect(copiedShare(aJob(plan, { phase: 'verifying', percent: 4 }))).toBe(1)
  })

  it('stays full after a verify that failed: everything was copied', () => {
    const error = serializeError(
      new VerificationError('E_VERIFY', 'differs', {
        details: {
          path: '/dev/sdb',
          offset: 0,
          differingBlocks: 1,
          blockBytes: 1_048_576,
          expected: 'a',
          found: 'b',
        },
      }),
    )
    const job = aJob(plan, { phase: 'verifying', percent: 78, failed: true })
    expect(copiedShare(ended(job, { kind: 'failed', error, target: 'empty' }))).toBe(1)
  })

  it('stays where it was stopped', () => {
    const job = aJob(plan, { phase: 'restoring', percent: 43, failed: true })
    expect(copiedShare(ended(job, { kind: 'cancelled', target: 'empty', percent: 43 }))).toBe(0.43)
  })
})
