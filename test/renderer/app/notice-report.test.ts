import { describe, expect, it } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import { noticeReport } from '#src/renderer/app/notice-report.ts'
import { aJob, aRequest, aSummary, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { aSession } from '#test/stream-fixtures'

const error = serializeError(new DeviceError('E_DST_BUSY', 'busy', { details: { path: '/dev/sdb' } }))
const job = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 43 })

describe('what a notice has for a bug report', () => {
  it('is the code, and what was said with the error', () => {
    const report = noticeReport({ kind: 'error', doing: 'eject', name: 'SanDisk Ultra', error })
    expect(report?.code).toBe('E_DST_BUSY')
    expect(report?.text(null, [])).toContain("'SanDisk Ultra' is in use.\n\nE_DST_BUSY (device): busy")
  })

  it('is all there is of a job that failed', () => {
    const failed = ended(job, { kind: 'failed', error, target: 'incomplete' })
    const report = noticeReport({ kind: 'worked', job: failed })
    expect(report?.code).toBe('E_DST_BUSY')
    expect(report?.text(null, [])).toContain(`Target /dev/sdb, identity ${sandisk.identity}`)
  })

  it('is the error of a stream', () => {
    const session = aSession({ phase: 'failed', error, endedMs: 10 })
    const report = noticeReport({ kind: 'stream-failed', sessions: [session] })
    expect(report?.text(null, [])).toContain('ModularSystem: ')
    expect(noticeReport({ kind: 'stream-failed', sessions: [{ ...session, error: null }] })).toBeNull()
  })

  it('is nothing where nothing failed', () => {
    expect(noticeReport({ kind: 'ejected', name: 'SanDisk Ultra' })).toBeNull()
    expect(
      noticeReport({ kind: 'worked', job: ended(job, { kind: 'done', summary: aSummary() }) }),
    ).toBeNull()
  })
})
