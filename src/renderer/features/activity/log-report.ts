/**
 * The log as it is given away: with what the program and the system are, whole dates, and, where all of it is saved, the
 * jobs as asr would have told them. Pure.
 */
import type { AppInfo } from '#shared/contract'
import { lineText, type LogLine } from '#shared/log'
import type { JobState } from '#shared/model'
import { fileMoment } from '#shared/units'
import { lineTime } from './log-filter.ts'
import { transcript } from './transcript.ts'

/** Lines that stand above every copy. */
export function reportHead(app: AppInfo | null, nowMs: number): string {
  const from = app?.host === 'web' ? ' (in a browser)' : ''
  return [
    `Reprise ${app?.version ?? 'of an unknown version'}${from}`,
    app?.system ?? 'An unknown system',
    `${dateOf(nowMs)} ${lineTime(nowMs).slice(0, 8)} ${zoneOf(nowMs)}`,
    '',
    '',
  ].join('\n')
}

export const reportLine = (line: LogLine): string =>
  `${dateOf(line.timeMs)} ${lineTime(line.timeMs)} ${line.level.padEnd(5)} ${lineText(line)}`

/** The jobs newest last, as the lines are. */
export const transcripts = (jobs: readonly JobState[]): readonly string[] =>
  jobs.flatMap((job) => [...transcript(job), ''])

/** Everything there is, for who is asked for help. */
export function wholeReport(
  app: AppInfo | null,
  jobs: readonly JobState[],
  log: readonly LogLine[],
  nowMs: number,
): string {
  const told = transcripts(jobs)
  return [
    reportHead(app, nowMs).trimEnd(),
    '',
    ...(told.length === 0 ? [] : ['Jobs', '', ...told]),
    'Log',
    '',
    ...log.map(reportLine),
    '',
  ].join('\n')
}

/** `Reprise log 2026-11-21 18.24.txt` */
export const reportName = (nowMs: number): string => `Reprise log ${fileMoment(nowMs)}.txt`

const two = (value: number) => String(value).padStart(2, '0')

/** `2026-11-21`, local. */
function dateOf(ms: number): string {
  const date = new Date(ms)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** `UTC+01:00` */
function zoneOf(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset()
  const size = Math.abs(minutes)
  return `UTC${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
