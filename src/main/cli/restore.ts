/** `reprise restore`: preflight, question, job, and how it ended. */
import {
  BugError,
  deserializeError,
  DeviceError,
  invariant,
  serializeError,
  UsageError,
  type SerializedError,
} from '#shared/errors'
import { isStreamLocator, isWebLocator, type JobOutcome, type RestorePlan } from '#shared/model'
import { describeOutcome, describeTargetState, warningsOf, type Names } from '#shared/words'
import { noOperands } from './arguments.ts'
import { checkDemands } from './demands.ts'
import type { Engines } from './engines.ts'
import { exitCancelled, exitDone } from './exit-status.ts'
import { tellFetching } from './fetching.ts'
import { tellOutdated } from './image-task.ts'
import { untilInterrupted, watchInterrupt, type Interrupt } from './interrupt.ts'
import { isYes } from './is-yes.ts'
import { createJsonPrinter } from './json-printer.ts'
import { oncePrepared } from './once-prepared.ts'
import { passwordNote, unlockSource } from './passwords.ts'
import { printable } from './printable.ts'
import type { RestorePrinter } from './printer.ts'
import { createPuppetstringsPrinter } from './puppetstrings-printer.ts'
import { errorText, report, tellingOf, type Telling } from './report.ts'
import {
  readRestoreCommand,
  restoreOptions,
  type RestoreCommand,
  type RestoreValues,
} from './restore-options.ts'
import { createStallLine } from './stall-line.ts'
import { createStreamTroubles } from './stream-troubles.ts'
import { createTextPrinter, questionText } from './text-printer.ts'
import { defineVerb, openLog, type CliContext, type CommonValues } from './verb.ts'
import { createWorkOutput, type WorkOutput } from './work-output.ts'

export const restore = defineVerb({
  name: 'restore',
  summary: 'Restore an image, a stream, a disk or a volume onto a disk, a partition or a file.',
  synopsis: '--source SOURCE --target TARGET --erase [options]',
  notes: [
    'Everything on the target is lost. Preflight checks run first, and nothing is written before they passed and the question was answered with y.',
    "What was written is read back and compared. A UDIF image (.dmg) has to be scanned first, with reprise imagescan, unless --noverify is given. Images that can't hold a scan, and devices, are compared without one.",
    'Sizes are bytes, or a number with b (512 bytes), k, m, g or t.',
    passwordNote,
  ],
  options: restoreOptions,
  operands: noOperands,
  run: runRestoreVerb,
})

async function runRestoreVerb(context: CliContext, values: RestoreValues & CommonValues): Promise<number> {
  const command = readRestoreCommand(values, context.cwd)
  const telling = tellingOf(values)
  const printer = choosePrinter(context, values, command)
  const quiet = values.json || values.puppetstrings
  const { terminal } = context
  using interrupt = watchInterrupt(terminal, 'Still stopping: the target is being left in a safe state.')
  const output = createWorkOutput(terminal)
  terminal.write(printer.started())
  /** Codes of warnings that needn't be told again at the end. */
  const told = new Set<string>()
  let plan: RestorePlan | null = null
  try {
    const engines = await context.engines(openLog(context, values))
    const { source } = command.request
    using _fetching = isWebLocator(source)
      ? await tellFetch(context, engines, command, values, { interrupt, output })
      : null
    plan = await oncePrepared(
      async () => {
        await unlockSource(context, engines, source, values, interrupt)
        return await untilInterrupted(engines.planRestore(command.request, interrupt.signal), interrupt)
      },
      { ...context, interrupt, quiet, timeoutMs: command.request.timeoutMs },
    )
    const lostOfPlan = output.print(printer.planned(plan))
    checkPlan(plan, command)
    // After why it is refused, which says more than that some of its checks couldn't be written.
    if (lostOfPlan !== null) throw deserializeError(lostOfPlan)
    if (command.prompt) await ask(context, plan, interrupt, { onError: quiet, output })
    interrupt.signal.throwIfAborted()
    const { outcome, lost } = await runJob(context, engines, plan, printer, interrupt, {
      quiet,
      json: values.json,
      told,
      output,
    })
    const status = tellOutcome(context, outcome, plan, telling, told)
    return lost === null || status !== exitDone
      ? status
      : report(terminal, lost, telling, { lastWords: describeOutcome(outcome) })
  } catch (error) {
    const cancelled = interrupt.causedBy(error)
    // Whether it can be written or not, standard error has the words.
    output.print(printer.abandoned(cancelled ? 'cancelled' : 'error'))
    return tellAbandoned(context, error, plan, interrupt, telling)
  }
}

/** What can't fit is refused before all of it is fetched. */
async function tellFetch(
  { terminal, now }: CliContext,
  engines: Engines,
  { request: { target: path } }: RestoreCommand,
  { json, puppetstrings }: RestoreValues & CommonValues,
  { interrupt, output }: { readonly interrupt: Interrupt; readonly output: WorkOutput },
): Promise<Disposable> {
  const sizeBytes = await untilInterrupted(engines.capacityOf(path, interrupt.signal), interrupt)
  const target = sizeBytes === null ? null : { path, sizeBytes }
  const as = json ? 'json' : puppetstrings ? null : 'text'
  return tellFetching(engines, { terminal, output, now, as, target })
}

function choosePrinter(
  { version }: CliContext,
  values: RestoreValues & CommonValues,
  { request }: RestoreCommand,
): RestorePrinter {
  if (values.json) return createJsonPrinter()
  if (values.puppetstrings) {
    const client = isStreamLocator(request.source) ? 'multicast-client' : 'client'
    return createPuppetstringsPrinter({ version, client })
  }
  return createTextPrinter({ verbose: values.verbose || values.debug })
}

/** Throws why the plan can't be carried out by this process. */
function checkPlan(plan: RestorePlan, command: RestoreCommand): void {
  if (plan.refusal !== null) throw deserializeError(plan.refusal)
  if (plan.source !== null) checkDemands(command.demands, plan.source)
  if (plan.needsPrivilege) {
    const path = plan.target?.path ?? command.request.target
    throw new DeviceError('E_DENIED', `opening ${path} needs rights this process hasn't`, {
      details: { path },
    })
  }
}

/** Throws UsageError E_NOT_CONFIRMED unless the answer is y. */
async function ask(
  { terminal }: CliContext,
  plan: RestorePlan,
  interrupt: Interrupt,
  { onError, output }: { readonly onError: boolean; readonly output: WorkOutput },
): Promise<void> {
  const question = questionText(plan)
  if (question === null) return
  const endLine = () => (onError ? terminal.writeError('\n') : output.print('\n'))
  await terminal.forgetTyped(interrupt.signal)
  // A question that can't be written isn't asked.
  if (onError) terminal.writeError(question)
  else terminal.write(question)
  const answer = await terminal.readLine(interrupt.signal).catch((error: unknown) => {
    endLine()
    throw error
  })
  if (answer === null) endLine()
  if (isYes(answer)) return
  const details =
    answer === null
      ? {
          input: 'answer',
          problem: 'Nobody answered the question.',
          hint: 'Nothing was changed. Add --noprompt to erase without being asked.',
        }
      : { input: 'answer', hint: 'Nothing was changed.' }
  throw new UsageError('E_NOT_CONFIRMED', 'the question was not answered with y', { details })
}

/** Resolves when the work has really stopped, also after an interrupt. */
async function runJob(
  { terminal, now }: CliContext,
  engines: Engines,
  plan: RestorePlan,
  printer: RestorePrinter,
  interrupt: Interrupt,
  {
    quiet,
    json,
    told,
    output: { print, tell, lost },
  }: {
    readonly quiet: boolean
    readonly json: boolean
    readonly told: Set<string>
    readonly output: WorkOutput
  },
): Promise<{ readonly outcome: JobOutcome; readonly lost: SerializedError | null }> {
  const job = engines.startRestore(plan)
  const stop = () => {
    terminal.writeError('Stopping at a safe point...\n')
    void job.cancel(interrupt.signal.reason)
  }
  interrupt.signal.addEventListener('abort', stop, { once: true })
  // Programs are told by the progress; people want to know why it takes so long while it does.
  const troubles = quiet ? null : createStreamTroubles({ say: tell, now, told })
  const stalls = quiet ? null : createStallLine(tell, namesFor(plan))
  job.subscribe((state) => {
    // An object is whole; a mark or a line of puppetstrings goes on from the one before.
    print(printer.progressed(state), json && state.outcome === null ? 'passing' : 'lasting')
    troubles?.hear(state.progress?.stream ?? null)
    stalls?.hear(state.progress?.stall ?? null)
  })
  const state = await job.ended
  print(printer.progressed(state))
  invariant(state.outcome !== null, 'a job ended without an outcome')
  return { outcome: state.outcome, lost: lost() }
}

function tellOutcome(
  { terminal }: CliContext,
  outcome: JobOutcome,
  plan: RestorePlan,
  telling: Telling,
  told: ReadonlySet<string>,
): number {
  const names = namesFor(plan)
  const target = plan.target && { ...plan.target, name: plan.target.path }
  switch (outcome.kind) {
    case 'done':
      tellWarnings()
      tellOutdated({ terminal }, { json: telling.json }, outcome)
      return exitDone
    case 'failed': {
      const lastWords = describeTargetState(outcome.target, target)
      const status = report(terminal, outcome.error, telling, { names, lastWords })
      tellWarnings()
      tellOutdated({ terminal }, { json: telling.json }, outcome)
      return status
    }
    case 'cancelled': {
      const state = describeTargetState(outcome.target, target)
      terminal.writeError(`${describeOutcome(outcome)}\n${printable(state)}\n`)
      tellWarnings()
      tellOutdated({ terminal }, { json: telling.json }, outcome)
      return exitCancelled
    }
    case 'checked':
    default:
      throw new BugError('E_BUG', `a restore ended as ${outcome.kind}`, { details: {} })
  }

  function tellWarnings(): void {
    for (const warning of warningsOf(outcome))
      if (!told.has(warning.code)) terminal.writeError(errorText(warning, names, null))
  }
}

/** Before the job: refused, not confirmed, or interrupted. */
function tellAbandoned(
  { terminal }: CliContext,
  error: unknown,
  plan: RestorePlan | null,
  interrupt: Interrupt,
  telling: Telling,
): number {
  if (interrupt.causedBy(error)) {
    terminal.writeError('Stopped. Nothing was changed.\n')
    return exitCancelled
  }
  return report(terminal, serializeError(error), telling, { names: plan === null ? {} : namesFor(plan) })
}

/** At the command line a target is called by its path: that is what was typed. So is a source that couldn't be opened. */
const namesFor = ({ source, target, request }: RestorePlan): Names => ({
  source: source?.name ?? request.source,
  target: target?.path,
})
