import { describe, expect, it } from 'vitest'
import {
  reportHead,
  reportName,
  transcripts,
  wholeReport,
} from '#src/renderer/features/activity/log-report.ts'
import { createUiDouble } from '#test/ui-double'
import { aJob, aRequest, planFor, sandisk, systemImage } from '#test/ui-fixtures'

const { app } = createUiDouble()
const nowMs = new Date(2026, 10, 21, 18, 24, 5).getTime()
const job = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 17 })
const line = { timeMs: nowMs - 1000, level: 'warn', message: 'slow', fields: { disk: '/dev/sdb' } } as const

describe('a log that is given away', () => {
  it('begins with the program, the system and the date', () => {
    expect(reportHead(app, nowMs)).toMatch(
      /^Reprise 0\.1\.0 \(in a browser\)\nDebian GNU\/Linux 13 \(trixie\), Linux 6\.12\.0 x64\n2026-11-21 18:24:05 UTC[+-]\d\d:\d\d\n\n$/,
    )
    expect(reportHead({ ...app, host: 'electron' }, nowMs)).toMatch(/^Reprise 0\.1\.0\n/)
    expect(reportHead(null, nowMs)).toMatch(/^Reprise of an unknown version\nAn unknown system\n/)
  })

  it('holds every job and every line when it is saved', () => {
    const text = wholeReport(app, [job], [line], nowMs)
    expect(text).toContain('\n\nJobs\n\nModularSystem.dmg → SanDisk Ultra\n')
    expect(text).toContain('\n\nLog\n\n2026-11-21 18:24:04.000 warn  slow  disk=/dev/sdb\n')
    expect(wholeReport(app, [], [], nowMs)).not.toContain('Jobs')
  })

  it('tells its jobs one after the other', () => {
    expect(transcripts([job, job]).filter((text) => text === '')).toHaveLength(2)
  })

  it('has a name that every system takes', () => {
    expect(reportName(nowMs)).toBe('Reprise log 2026-11-21 18.24.txt')
  })
})
