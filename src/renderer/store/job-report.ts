/** What `Copy Details` puts on the clipboard: everything a bug report needs, as text. Pure. */
import type { AppInfo } from '#shared/contract'
import type { SerializedError } from '#shared/errors'
import { fieldsText, lineText, type LogLine } from '#shared/log'
import { onlyVolumeOf, type JobState } from '#shared/model'
import { describeOutcome, describePhase, warningsOf } from '#shared/words'

/** The log's lines that go with it: the last before its end, and what was still said of it then. */
const tailLines = 40
const afterEndMs = 1000

export function jobReport(job: JobState, app: AppInfo | null, log: readonly LogLine[]): string {
  const { plan, outcome, endedMs } = job
  const lines = [
    programLine(app),
    `Job ${job.jobId}: ${job.title}`,
    `Started ${time(job.startedMs)}${job.endedMs === null ? '' : `, ended ${time(job.endedMs)}`}`,
    ...(plan
      ? [
          `Source ${plan.request.source}`,
          `Target ${plan.request.target}, identity ${plan.target?.identity ?? 'unknown'}`,
          `Options ${fieldsText({ ...plan.request, sourcePartition: onlyVolumeOf(plan)?.partition, source: null, target: null })}`,
        ]
      : []),
    '',
    ...job.phases.map((phase) => `${describePhase(phase.phase)}: ${phase.state}${took(phase.durationMs)}`),
    '',
    ...(outcome ? [describeOutcome(outcome)] : []),
    ...(outcome?.kind === 'failed' ? [`Target state: ${outcome.target}`, ...errorLines(outcome.error)] : []),
    ...(outcome ? warningsOf(outcome).flatMap((warning) => ['besides', ...errorLines(warning)]) : []),
    '',
    ...logTail(log, endedMs),
  ]
  return asText(lines)
}

/** A failure that is no job's: of a request, a stream, a source. */
export interface ReportedFailure {
  readonly error: SerializedError
  /** The words that tell of it: they name what it is about. */
  readonly said: string
  /** When it happened, where that is known; absent: just now. */
  readonly atMs?: number | null
}

export const errorReport = (
  { error, said, atMs = null }: ReportedFailure,
  app: AppInfo | null,
  log: readonly LogLine[],
): string => asText([programLine(app), said, '', ...errorLines(error), '', ...logTail(log, atMs)])

const programLine = (app: AppInfo | null) =>
  `Reprise ${app?.version ?? '?'} on ${app?.system ?? '?'} (${app?.host ?? '?'})`

function logTail(log: readonly LogLine[], endedMs: number | null): readonly string[] {
  const told = endedMs === null ? log : log.filter(({ timeMs }) => timeMs <= endedMs + afterEndMs)
  return told.slice(-tailLines).map((line) => `${time(line.timeMs)} ${line.level} ${lineText(line)}`)
}

const asText = (lines: readonly string[]) => `${lines.join('\n').trimEnd()}\n`

function errorLines(error: SerializedError): readonly string[] {
  return [
    `${error.code} (${error.family}): ${error.message}`,
    `  ${fieldsText(error.details)}`,
    ...(error.cause ? ['caused by', ...errorLines(error.cause)] : []),
  ]
}

const time = (ms: number) => new Date(ms).toISOString()
const took = (ms: number | null) => (ms === null ? '' : ` (${ms} ms)`)
