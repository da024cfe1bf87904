import { describe, expect, test } from 'vitest'
import { aJob } from '#test/engine-double'
import { aSummary } from '#test/ui-fixtures'
import { DeviceError, serializeError } from '#shared/errors'
import type { JobState } from '#shared/model'
import { farewell, progressBar } from '#src/main/app/job-summary.ts'

const at = (percent: number | null): JobState => {
  const job = aJob()
  return { ...job, progress: job.progress && { ...job.progress, percent } }
}
const ended = aJob({ outcome: { kind: 'cancelled', target: 'empty', percent: 3 } })

describe('the bar', () => {
  test.each([
    ['no job', [], -1, 'none'],
    ['a job that ended', [ended], -1, 'none'],
    ['one job', [at(43), ended], 0.43, 'normal'],
    ['several jobs: the slowest', [at(90), at(10)], 0.1, 'normal'],
    ['a job of unknown length', [at(90), at(null)], 2, 'indeterminate'],
    ['a job that begins', [{ ...at(1), progress: null }], 2, 'indeterminate'],
  ] as const)('of %s', (_, jobs, fraction, mode) => {
    expect(progressBar(jobs, { failure: 'seen', platform: 'darwin' })).toEqual({ fraction, mode })
    expect(progressBar(jobs, { failure: 'seen', platform: 'win32' })).toEqual({ fraction, mode })
    // There more than 1 is a full bar.
    const onLinux = fraction === 2 ? { fraction: -1, mode: 'none' } : { fraction, mode }
    expect(progressBar(jobs, { failure: 'seen', platform: 'linux' })).toEqual(onLinux)
  })

  test('stays red on Windows after a failure until it was seen, but not over a running job', () => {
    const unseen = { failure: 'unseen', platform: 'win32' } as const
    expect(progressBar([ended], unseen)).toEqual({ fraction: 1, mode: 'error' })
    expect(progressBar([at(43)], unseen)).toEqual({ fraction: 0.43, mode: 'normal' })
  })

  test.each(['darwin', 'linux'] as const)(
    'isn’t full after a failure on %s, which knows no red one',
    (platform) => {
      expect(progressBar([ended], { failure: 'unseen', platform })).toEqual({ fraction: -1, mode: 'none' })
    },
  )
})

describe('the farewell', () => {
  test('is said of what ended by itself only', () => {
    expect(farewell(aJob())).toBeNull()
    expect(farewell(ended)).toBeNull()
    expect(farewell(aJob({ outcome: { kind: 'done', summary: aSummary() } }))).toEqual({
      title: 'Restored and verified.',
      body: 'a.dmg → Test Stick: 14.2 GB in 2:22, 187 MB/s.',
    })
  })

  test('tells what was left undone', () => {
    const left = { path: '/dev/sdz', left: 'eject' }
    const warnings = [serializeError(new DeviceError('E_DST_BUSY', 'busy', { details: left }))]
    const undone = "wasn't ejected. Eject it before you disconnect it."
    expect(farewell(aJob({ outcome: { kind: 'done', summary: aSummary({ warnings }) } }))).toEqual({
      title: 'Restored and verified.',
      body: expect.stringMatching(new RegExp(`187 MB/s\\. '.+' ${undone}$`)),
    })
    const error = serializeError(new DeviceError('E_IO_WRITE', 'EIO', { details: { path: '/dev/sdz' } }))
    const failed = farewell(aJob({ outcome: { kind: 'failed', error, target: 'empty', warnings } }))
    expect(failed?.body.endsWith(undone)).toBe(true)
  })
})
