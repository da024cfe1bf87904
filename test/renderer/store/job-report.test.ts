import { describe, expect, it } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import { errorReport, jobReport } from '#src/renderer/store/job-report.ts'
import { aJob, aRequest, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'

describe('Copy Details', () => {
  it('holds the disk, the phases, the error with its causes and the end of the log', () => {
    const cause = new Error('EIO: i/o error, write')
    const error = serializeError(
      new DeviceError('E_IO_WRITE', 'write failed', {
        details: { path: '/dev/sdb', errno: 'EIO', offset: 4096 },
        cause,
      }),
    )
    const job = ended(
      aJob(
        planFor(aRequest(), [sandisk], [systemImage]),
        { phase: 'restoring', failed: true },
        { startedMs: 0 },
      ),
      { kind: 'failed', error, target: 'empty' },
    )
    const log = Array.from({ length: 50 }, (_, index) => ({
      timeMs: index,
      level: 'info' as const,
      message: `line ${index}`,
      fields: { disk: '/dev/sdb' },
    }))
    const report = jobReport(job, null, log)
    expect(report).toContain(`Target /dev/sdb, identity ${sandisk.identity}`)
    expect(report).toContain('Unmounting: done')
    expect(report).toContain('Restoring: failed')
    expect(report).toContain('E_IO_WRITE (device): write failed')
    expect(report).toContain('path=/dev/sdb errno=EIO offset=4096')
    expect(report).toContain('caused by\nE_BUG (bug): EIO: i/o error, write')
    expect(report).toContain('Target state: empty')
    expect(report).toContain('line 49  disk=/dev/sdb')
    expect(report).not.toContain('line 9 ')
  })

  it('holds what was left undone', () => {
    const plan = planFor(aRequest(), [sandisk], [systemImage])
    const details = { path: '/dev/sdb', left: 'eject' }
    const warnings = [serializeError(new DeviceError('E_DST_BUSY', 'still open', { details }))]
    const outcome = { kind: 'cancelled', target: 'empty', percent: 4, warnings } as const
    const job = ended(aJob(plan, { phase: 'restoring', percent: 4 }), outcome)
    expect(jobReport(job, null, [])).toContain(
      'Stopped at 4 %.\nbesides\nE_DST_BUSY (device): still open\n  path=/dev/sdb left=eject\n',
    )
  })

  it('has the lines of its own time, though much has happened since', () => {
    const plan = planFor(aRequest(), [sandisk], [systemImage])
    const job = aJob(plan, { phase: 'restoring', percent: 4 }, { startedMs: 0, endedMs: 10_000 })
    const at = (timeMs: number) => ({ timeMs, level: 'info' as const, message: `at ${timeMs}`, fields: {} })
    const later = Array.from({ length: 100 }, (_, index) => at(20_000 + index))
    const report = jobReport(job, null, [at(9_000), at(10_500), ...later])
    expect(report).toContain('at 9000')
    expect(report).toContain('at 10500')
    expect(report).not.toContain('at 20000')
  })

  it('says which volume of the image it was', () => {
    const plan = planFor(aRequest({ target: '/dev/sdb2' }), [sandisk], [systemImage])
    const job = aJob(plan, { phase: 'restoring', percent: 4 })
    expect(jobReport(job, null, [])).toContain('sourcePartition=2')
  })

  it('of what is no job holds what was said, the error with its causes, and the log up to it', () => {
    const error = serializeError(
      new DeviceError('E_DST_BUSY', 'busy', { details: { path: '/dev/sdb' }, cause: new Error('EBUSY') }),
    )
    const at = (timeMs: number) => ({ timeMs, level: 'warn' as const, message: `at ${timeMs}`, fields: {} })
    const said = "'SanDisk Ultra' is in use."
    const log = [at(9_000), at(20_000)]
    const report = errorReport({ error, said, atMs: 10_000 }, null, log)
    expect(report).toMatch(/^Reprise \? on \? .*\n'SanDisk Ultra' is in use\.\n/)
    expect(report).toContain('E_DST_BUSY (device): busy\n  path=/dev/sdb')
    expect(report).toContain('caused by\nE_BUG (bug): EBUSY')
    expect(report).toContain('at 9000')
    expect(report).not.toContain('at 20000')
    expect(errorReport({ error, said }, null, log)).toContain('at 20000')
  })
})
