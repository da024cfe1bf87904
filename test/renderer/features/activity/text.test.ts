import { describe, expect, it } from 'vitest'
import { FormatError, serializeError } from '#shared/errors'
import type { JobState } from '#shared/model'
import { checkedLines, jobLine } from '#src/renderer/features/activity/text.ts'
import { aJob, aRequest, aSummary, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'

const job = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 61 })
const verifying: JobState = {
  ...job,
  kind: 'verify-image',
  plan: null,
  title: 'ModularSystem.dmg',
  phases: [],
}

describe("a job's line", () => {
  it('tells phase, percent, speed and the time left', () => {
    expect(jobLine(job)).toBe('Restoring 61 % · 187 MB/s · about 4 minutes left')
  })

  it('tells a result with size, time and speed', () => {
    expect(jobLine(ended(job, { kind: 'done', summary: aSummary() }))).toBe(
      'Restored and verified. 14.2 GB in 2:22, 187 MB/s.',
    )
  })

  it('has words for what took no time', () => {
    const summary = aSummary({ durationMs: 400 })
    expect(jobLine(ended(job, { kind: 'done', summary }))).toContain('in under a second')
  })

  it('names the damaged image', () => {
    const error = serializeError(
      new FormatError('E_SRC_CORRUPT', 'x', { details: { format: 'udif', field: 'run', offset: 12 } }),
    )
    expect(jobLine(ended(verifying, { kind: 'failed', error, target: 'untouched' }))).toBe(
      "'ModularSystem.dmg' is damaged at byte 12. The fault is in run. Get a fresh copy of the image and try again.",
    )
  })

  it('lists what was recomputed', () => {
    expect(
      checkedLines({
        checked: [{ what: 'master', algorithm: 'CRC-32', value: 'e0c4d511' }],
        nothingToCheck: false,
        expandedBytes: 1,
        durationMs: 1,
      }),
    ).toEqual(['master: CRC-32 e0c4d511'])
  })
})
