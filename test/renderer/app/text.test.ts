import { describe, expect, it } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import { engineWords, noticeWords } from '#src/renderer/app/text.ts'
import { aJob, anImageJob, aRequest, aSummary, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { aSession } from '#test/stream-fixtures'

describe('the notice of a restore that failed out of sight', () => {
  it('says which disk it was, why, and how the disk is now', () => {
    const job = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 43 })
    const error = serializeError(
      new DeviceError('E_IO_WRITE', 'write failed', { details: { path: '/dev/sdb', errno: 'EIO' } }),
    )
    const words = noticeWords({
      kind: 'worked',
      job: ended(job, { kind: 'failed', error, target: 'incomplete' }),
    })
    expect(words.tone).toBe('danger')
    expect(words.title).toBe("ModularSystem.dmg → SanDisk Ultra: 'SanDisk Ultra' couldn't be written.")
    expect(words.text).toContain("'SanDisk Ultra' is incomplete and can't be used: restore it again.")
  })
})

describe('the notice of a restore that left something undone', () => {
  const job = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'remounting' })
  const busy = serializeError(
    new DeviceError('E_DST_BUSY', 'busy', {
      details: { path: '/dev/sdb', left: 'eject', holders: ['nautilus (812)'] },
    }),
  )
  const said =
    "'SanDisk Ultra' wasn't ejected. It is used by nautilus (812). Eject it before you disconnect it."

  it('says so, as a warning', () => {
    const done = { kind: 'done', summary: aSummary({ warnings: [busy] }) } as const
    expect(noticeWords({ kind: 'worked', job: ended(job, done) })).toEqual({
      tone: 'warning',
      title: 'ModularSystem.dmg → SanDisk Ultra',
      text: `Restored and verified. 14.2 GB in 2:22, 187 MB/s. ${said}`,
    })
    const whole = { kind: 'done', summary: aSummary() } as const
    expect(noticeWords({ kind: 'worked', job: ended(job, whole) }).tone).toBe('info')
  })

  it('says so also where it failed or was stopped', () => {
    const error = serializeError(new DeviceError('E_IO_WRITE', 'EIO', { details: { path: '/dev/sdb' } }))
    const failed = { kind: 'failed', error, target: 'empty', warnings: [busy] } as const
    const stopped = { kind: 'cancelled', percent: 4, target: 'empty', warnings: [busy] } as const
    for (const [outcome, tone] of [
      [failed, 'danger'],
      [stopped, 'warning'],
    ] as const) {
      const words = noticeWords({ kind: 'worked', job: ended(job, outcome) })
      expect(words.tone).toBe(tone)
      expect(words.text.endsWith(said)).toBe(true)
    }
  })
})

describe('the notice of work that failed or was stopped after it had changed its image', () => {
  it('says how the image is now', () => {
    const error = serializeError(
      new DeviceError('E_DST_FULL', 'full', { details: { path: '/a.dmg.sha256' } }),
    )
    const job = anImageJob('add-checksum', 'a.dmg', { phase: 'scanning', percent: 43 })
    const stopped = { kind: 'cancelled', target: 'changed', percent: null } as const
    for (const outcome of [{ kind: 'failed', error, target: 'changed' } as const, stopped])
      expect(noticeWords({ kind: 'worked', job: ended(job, outcome) }).text).toContain(
        "The image has its new checksums; only the file beside it wasn't written.",
      )
  })
})

describe('the notice of a stream that failed out of sight', () => {
  it('names the stream, and says why', () => {
    const error = serializeError(new DeviceError('E_SRC_GONE', 'gone', { details: { path: '/lab.dmg' } }))
    const session = aSession({ phase: 'failed', error })
    const words = noticeWords({ kind: 'stream-failed', sessions: [session] })
    expect(words.tone).toBe('danger')
    expect(words.title).toBe("ModularSystem: 'ModularSystem.dmg' is gone.")
    const other = { ...session, settings: { ...session.settings, name: 'Kiosk' } }
    expect(noticeWords({ kind: 'stream-failed', sessions: [session, other] }).title).toBe(
      "ModularSystem and Kiosk: 'ModularSystem.dmg' is gone.",
    )
  })
})

describe('the notice of a destination that a new source cannot go to', () => {
  it('names it, and says why as a drag over it does', () => {
    const problem = { kind: 'too-small', missingBytes: 6.2e9, neededBytes: 14.2e9 } as const
    expect(noticeWords({ kind: 'destination-left', name: 'Kingston DataTraveler', problem })).toEqual({
      tone: 'warning',
      title: "'Kingston DataTraveler' is no longer the destination.",
      text: 'Too small by 6.2 GB.',
    })
  })
})

describe('the notice of an engine that is gone', () => {
  it('says what comes of it, and never a code', () => {
    const said = (reason: string) => engineWords({ state: 'gone', reason })?.text
    expect(said('E_ENGINE_GONE')).toBe('It is being started again.')
    expect(said('E_HELPER_VERSION')).toBe(
      'It was replaced by another version. Quit Reprise and start it again.',
    )
    expect(engineWords({ state: 'ready', reason: null })).toBeNull()
  })
})
