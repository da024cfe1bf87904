/** How every verb runs work on an image: started, shown as it goes, stopped by Ctrl-C, and told how it ended. */
import { invariant, serializeError } from '#shared/errors'
import type { ImageTask, ImageTaskKind, JobOutcome, JobState } from '#shared/model'
import { describeChanged, describeOutcome, describeOutdated, inTerminal, type Names } from '#shared/words'
import type { Engines } from './engines.ts'
import { exitCancelled, exitDone } from './exit-status.ts'
import type { Interrupt } from './interrupt.ts'
import { jsonLine } from './json-lines.ts'
import { printable } from './printable.ts'
import { report, tellingOf } from './report.ts'
import type { CliContext, CommonValues } from './verb.ts'
import { createWorkOutput, type WorkOutput } from './work-output.ts'

/** What each kind of work comes to when it ends well. */
const good = {
  verify: 'checked',
  convert: 'converted',
  create: 'created',
  scan: 'scanned',
  'add-checksum': 'checksummed',
  resize: 'resized',
  compact: 'resized',
} as const satisfies { readonly [kind in ImageTaskKind]: JobOutcome['kind'] }

type GoodOutcome<K extends ImageTaskKind> = Extract<JobOutcome, { kind: (typeof good)[K] }>

export interface ImageTaskRun<K extends ImageTaskKind> {
  readonly engines: Engines
  readonly interrupt: Interrupt
  readonly names: Names
  /** What to print at a state; with --json that is done here. */
  readonly print: (state: JobState) => string
  /** What to print when it has ended well; with --json that is done here. Called either way. */
  readonly told: (outcome: GoodOutcome<K>) => string
  /** Where something else speaks meanwhile, too. */
  readonly output?: WorkOutput
  /** After a failure or an interrupt: in what state things are, where the image wasn't changed. */
  readonly lastWords?: string
}

/** Resolves to the exit status: everything has been told then. */
export async function runImageTask<K extends ImageTaskKind>(
  { terminal }: CliContext,
  values: CommonValues,
  task: Extract<ImageTask, { kind: K }>,
  { engines, interrupt, names, print, told, lastWords, output = createWorkOutput(terminal) }: ImageTaskRun<K>,
): Promise<number> {
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
    const status = report(terminal, outcome.error, tellingOf(values), { names, lastWords: left })
    tellOutdated({ terminal }, values, outcome)
    return status
  }
  if (outcome.kind === 'cancelled') {
    terminal.writeError(`${describeOutcome(outcome)}\n${left === null ? '' : `${left}\n`}`)
    tellOutdated({ terminal }, values, outcome)
    return exitCancelled
  }
  invariant(endedWell(task.kind, outcome), `${task.kind} ended as ${outcome.kind}`)
  const text = told(outcome)
  if (!values.json) output.print(text)
  tellOutdated({ terminal }, values, outcome)
  const lost = output.lost()
  if (lost === null) return exitDone
  return report(terminal, lost, tellingOf(values), { names, lastWords: describeOutcome(outcome) })
}

const endedWell = <K extends ImageTaskKind>(task: K, outcome: JobOutcome): outcome is GoodOutcome<K> =>
  outcome.kind === good[task]

/** What came before its job didn't succeed, or was interrupted. Returns the exit status. */
export function tellUnready(
  { terminal }: Pick<CliContext, 'terminal'>,
  values: CommonValues,
  error: unknown,
  { interrupt, names, lastWords }: Pick<ImageTaskRun<ImageTaskKind>, 'interrupt' | 'names' | 'lastWords'>,
): number {
  return interrupt.causedBy(error)
    ? tellStopped({ terminal }, values, lastWords ?? null)
    : report(terminal, serializeError(error), tellingOf(values), { names })
}

/** It was interrupted before its job began. Returns the exit status. */
function tellStopped(
  { terminal }: Pick<CliContext, 'terminal'>,
  { json }: Pick<CommonValues, 'json'>,
  lastWords: string | null,
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
