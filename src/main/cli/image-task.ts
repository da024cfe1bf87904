/** How every verb runs work on an image: started, shown as it goes, stopped by Ctrl-C, and told how it ended. */
import { invariant } from '#shared/errors'
import type { ImageTask, JobOutcome, JobState } from '#shared/model'
import { describeChanged, describeOutcome, describeOutdated, inTerminal, type Names } from '#shared/words'
import type { Engines } from './engines.ts'
import { exitCancelled, exitDone } from './exit-status.ts'
import type { Interrupt } from './interrupt.ts'
import { jsonLine } from './json-lines.ts'
import { printable } from './printable.ts'
import { report, tellingOf } from './report.ts'
import type { CliContext, CommonValues } from './verb.ts'
import { createWorkOutput, type WorkOutput } from './work-output.ts'

export interface ImageTaskRun {
  readonly engines: Engines
  readonly interrupt: Interrupt
  readonly names: Names
  /** What to print at a state; with --json that is done here. */
  readonly print: (state: JobState) => string
  /** Where something else speaks meanwhile, too. */
  readonly output?: WorkOutput
  /** After a failure or an interrupt: in what state things are, where the image wasn't changed. */
  readonly lastWords?: string
}

export interface ImageTaskDone {
  readonly outcome: Exclude<JobOutcome, { kind: 'failed' | 'cancelled' }>
  /** Says it, in `text` unless JSON has; returns the exit status. */
  readonly tell: (text: string) => number
}

/** Resolves to how it ended when that is well, else to the exit status: the rest has been told then. */
export async function runImageTask(
  { terminal }: CliContext,
  values: CommonValues,
  task: ImageTask,
  { engines, interrupt, names, print, lastWords, output = createWorkOutput(terminal) }: ImageTaskRun,
): Promise<ImageTaskDone | number> {
  const job = engines.startImageTask(task)
  const stop = () => void job.cancel()
  interrupt.signal.addEventListener('abort', stop, { once: true })
  if (interrupt.asked) stop()
  job.subscribe((state) => {
    if (values.json) output.print(stateLine(state), 'passing')
    else output.print(print(state))
  })
  const { outcome } = await job.ended
  invariant(outcome !== null, 'a job ended without an outcome')
  if (values.json) output.print(outcomeLine(outcome))
  const left = describeChanged(`${task.kind}-image`, outcome) ?? lastWords ?? null
  if (outcome.kind === 'failed') {
    const told = { names, lastWords: left }
    const status = report(terminal, outcome.error, tellingOf(values), told)
    tellOutdated({ terminal }, values, outcome)
    return status
  }
  if (outcome.kind === 'cancelled') {
    terminal.writeError(`${describeOutcome(outcome)}\n${left === null ? '' : `${left}\n`}`)
    tellOutdated({ terminal }, values, outcome)
    return exitCancelled
  }
  return {
    outcome,
    tell(text) {
      if (!values.json) output.print(text)
      tellOutdated({ terminal }, values, outcome)
      const lost = output.lost()
      if (lost === null) return exitDone
      return report(terminal, lost, tellingOf(values), { names, lastWords: describeOutcome(outcome) })
    },
  }
}

/** It was interrupted before its job began. Returns the exit status. */
export function tellStopped(
  { terminal }: Pick<CliContext, 'terminal'>,
  { json }: Pick<CommonValues, 'json'>,
  lastWords: string | null = null,
): number {
  const outcome = { kind: 'cancelled', target: 'untouched', percent: null } as const
  // Whether it can be written or not, standard error has the words.
  if (json) createWorkOutput(terminal).print(outcomeLine(outcome))
  terminal.writeError(`${describeOutcome(outcome)}\n${lastWords === null ? '' : `${lastWords}\n`}`)
  return exitCancelled
}

/** After what it came to. JSON has it in the outcome. */
export function tellOutdated(
  { terminal }: Pick<CliContext, 'terminal'>,
  { json }: Pick<CommonValues, 'json'>,
  outcome: JobOutcome,
): void {
  const words = describeOutdated(outcome, inTerminal())
  if (words !== null && !json) terminal.writeError(`${printable(words)}\n`)
}

/** How it ended, also when it failed or was stopped. */
const outcomeLine = (outcome: JobOutcome): string =>
  jsonLine('outcome', { ...outcome, words: describeOutcome(outcome) })

const stateLine = ({ phases, progress, stopping, outcome }: JobState): string =>
  outcome === null ? jsonLine('state', { phases, progress, stopping }) : ''
