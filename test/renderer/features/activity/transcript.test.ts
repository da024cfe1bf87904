import { describe, expect, it } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import { transcript } from '#src/renderer/features/activity/transcript.ts'
import { aJob, anImageJob, aRequest, aSummary, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'

const plan = planFor(aRequest(), [sandisk], [systemImage])

describe('the transcript', () => {
  it('tells a restore as asr does', () => {
    expect(
      transcript(ended(aJob(plan, { phase: 'remounting' }), { kind: 'done', summary: aSummary() })),
    ).toEqual([
      'ModularSystem.dmg → SanDisk Ultra',
      'Validating target...done',
      'Validating source...done',
      'Validating sizes...done',
      'Unmounting...done',
      'Restoring  ....10....20....30....40....50....60....70....80....90....100',
      'Verifying  ....10....20....30....40....50....60....70....80....90....100',
      'Remounting...done',
      'Restored and verified.',
    ])
  })

  it('has a mark for each two percent of the phase that runs', () => {
    expect(transcript(aJob(plan, { phase: 'restoring', percent: 17 })).at(-1)).toBe('Restoring  ....10...')
  })

  it('tells where it was stopped', () => {
    const stopped = ended(aJob(plan, { phase: 'restoring', percent: 17 }), {
      kind: 'cancelled',
      target: 'empty',
      percent: 17,
      phase: 'restoring',
    })
    expect(transcript(stopped).slice(4)).toEqual([
      'Unmounting...done',
      'Restoring  ....10... stopped',
      'Stopped at 17 %.',
      "'SanDisk Ultra' was erased: it is empty, valid and unmounted.",
    ])
    const early = ended(aJob(plan, { phase: 'unmounting' }), {
      kind: 'cancelled',
      target: 'untouched',
      percent: null,
      phase: 'unmounting',
    })
    expect(transcript(early)[4]).toBe('Unmounting...stopped')
  })

  it('says of a file what is left of it, and of an image that was only read nothing of the kind', () => {
    const target = { ...plan.target!, kind: 'file', name: 'disk.img', disk: null } as const
    const job = aJob({ ...plan, target }, { phase: 'restoring', percent: 17 })
    expect(transcript(ended(job, { kind: 'cancelled', target: 'empty', percent: 17 })).at(-1)).toBe(
      "Nothing incomplete was left at 'disk.img'.",
    )
    const verify = anImageJob('verify', 'System.dmg', { phase: 'verifying', percent: 10 })
    expect(transcript(ended(verify, { kind: 'cancelled', target: 'untouched', percent: null })).at(-1)).toBe(
      'Stopped.',
    )
  })

  it('tells the error and what became of the disk', () => {
    const error = serializeError(new DeviceError('E_DST_GONE', 'gone', { details: { path: '/dev/sdb' } }))
    const job = ended(aJob(plan, { phase: 'restoring', failed: true }), {
      kind: 'failed',
      error,
      target: 'incomplete',
    })
    expect(transcript(job).slice(-2)).toEqual([
      "'SanDisk Ultra' was disconnected.",
      "'SanDisk Ultra' is incomplete and can't be used: restore it again.",
    ])
  })

  it('tells what was left undone last', () => {
    const left = { path: '/dev/sdb', left: 'eject' }
    const warnings = [serializeError(new DeviceError('E_DST_BUSY', 'busy', { details: left }))]
    const summary = aSummary({ warnings })
    expect(
      transcript(ended(aJob(plan, { phase: 'remounting' }), { kind: 'done', summary })).slice(-2),
    ).toEqual([
      'Restored and verified.',
      "'SanDisk Ultra' wasn't ejected. Eject it before you disconnect it.",
    ])
  })
})
