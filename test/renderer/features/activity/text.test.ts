import { describe, expect, it } from 'vitest'
import { DeviceError, FormatError, serializeError } from '#shared/errors'
import type { JobState } from '#shared/model'
import { outcomeDetails } from '#src/renderer/features/activity/outcome-details.ts'
import { jobLine } from '#src/renderer/features/activity/text.ts'
import {
  aJob,
  anImageJob,
  aRequest,
  aSummary,
  ended,
  imageJobs,
  planFor,
  sandisk,
  systemImage,
} from '#test/ui-fixtures'

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
    expect(jobLine(job)).toBe('Restoring 61 % · 187 MB/s · about 4 minutes left, then verifying')
  })

  it('says no time left while the host is gone: it is of before', () => {
    expect(jobLine(job, null, { connected: false })).toBe('Restoring 61 % · 187 MB/s')
  })

  it('tells a result with size, time and speed', () => {
    expect(jobLine(ended(job, { kind: 'done', summary: aSummary() }))).toBe(
      'Restored and verified. 14.2 GB in 2:22, 187 MB/s.',
    )
  })

  it('tells what was left undone, however it ended', () => {
    const busy = serializeError(
      new DeviceError('E_DST_BUSY', 'busy', { details: { path: '/dev/sdb', left: 'eject' } }),
    )
    const warnings = [busy]
    const said = "'SanDisk Ultra' wasn't ejected. Eject it before you disconnect it."
    expect(jobLine(ended(job, { kind: 'done', summary: aSummary({ warnings }) }))).toBe(
      `Restored and verified. 14.2 GB in 2:22, 187 MB/s. ${said}`,
    )
    const target = 'empty'
    for (const outcome of [
      { kind: 'failed', error: busy, target, warnings },
      { kind: 'cancelled', percent: 61, target, warnings },
    ] as const)
      expect(jobLine(ended(job, outcome))).toMatch(new RegExp(`unmounted\\. ${said}$`))
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

  it('says what work that was stopped left of an image that it changes where it is', () => {
    const stopped = { kind: 'cancelled', percent: 31 } as const
    const compacting = anImageJob('compact', 'Notes.sparsebundle', { phase: 'compacting', percent: 31 })
    expect(jobLine(ended(compacting, { ...stopped, target: 'changed' }))).toBe(
      'Stopped at 31 %. What was compacted until then stays so. The disk inside is as it was.',
    )
    expect(jobLine(ended(compacting, { ...stopped, target: 'untouched' }))).toBe('Stopped at 31 %.')
  })

  it('tells what work on an image came to, and where it was written', () => {
    const [converted] = imageJobs()
    expect(converted && jobLine(converted)).toBe(
      "The image was converted. 14.2 GB disk in 4.6 GB, 32 %, 5:12. It is 79 % of the source's size. Written to /home/ann/Images/ModularSystem 2.dmg.",
    )
  })

  it('says where a SHA-256 that is outdated is written anew', () => {
    const resized = imageJobs().find(({ outcome }) => outcome?.kind === 'resized')
    expect(resized && jobLine(resized)).toContain(
      'write a new one (Replace Checksum… in Activity), or remove the file.',
    )
  })

  it('names the package that is missing', () => {
    const failed = imageJobs().find(({ outcome }) => outcome?.kind === 'failed')
    expect(failed && jobLine(failed)).toContain('Install the package ntfs-3g, and try again.')
  })

  it('tells work on an image by what was asked for', () => {
    const job = anImageJob('scan', 'Lab.dmg', { phase: 'scanning', percent: 62 })
    expect(jobLine(job)).toMatch(/^Scanning 62 % · /)
    const reordering = anImageJob('scan', 'Lab.dmg', { phase: 'reordering', percent: 10 })
    expect(jobLine(reordering)).toMatch(/^Putting in order 10 % · /)
  })
})

describe("a job's details", () => {
  it('list what was recomputed', () => {
    const verification = {
      checked: [{ what: 'master', algorithm: 'CRC-32', value: 'e0c4d511' }],
      nothingToCheck: false,
      expandedBytes: 1,
      durationMs: 1,
    }
    expect(outcomeDetails({ kind: 'checked', verification })).toEqual({
      label: '1 checksum',
      lines: ['master: CRC-32 e0c4d511'],
    })
    expect(outcomeDetails({ kind: 'checked', verification: { ...verification, checked: [] } })).toBeNull()
  })

  it('say what of a device was read, and why not less', () => {
    const part = { index: 1, offset: 0, sizeBytes: 8e9, filesystem: 'ext4', label: 'root', usedBytes: 3e9 }
    const creation = {
      target: '/a.dmg',
      format: 'UDZO' as const,
      sizeBytes: 16e9,
      storedBytes: 2e9,
      usedBytes: 3e9,
      way: {
        kind: 'device' as const,
        partitionMap: 'gpt' as const,
        parts: [
          { ...part, whole: null },
          { ...part, index: 2, label: null, filesystem: null, whole: 'unknown' as const },
          { ...part, index: 3, label: null, filesystem: 'ntfs', whole: null, hasShadowCopies: true },
        ],
      },
      durationMs: 1,
      bytesPerSecond: 1,
      warnings: [],
    }
    expect(outcomeDetails({ kind: 'created', creation })?.lines).toEqual([
      'GUID partition map',
      'Partition 1, root, ext4: only what is used, 3 GB of 8 GB',
      "Partition 2: read whole, 8 GB: its file system isn't one whose free space Reprise knows",
      'Partition 3, NTFS: only what is used, 3 GB of 8 GB; its restore points may not be whole',
    ])
  })
})
