/** A restore as asr tells it to people. */
import {
  ejectsTarget,
  type JobState,
  type PreflightCheck,
  type RestorePlan,
  type RestoreSummary,
  type TargetInfo,
} from '#shared/model'
import { formatBytes, formatCount } from '#shared/units'
import {
  describeCheck,
  describeLoss,
  describePhase,
  describeUnreadable,
  inTerminal,
  namesOf,
} from '#shared/words'
import { createMarkLines } from './marks.ts'
import { passesOf } from './passes.ts'
import { printable } from './printable.ts'
import type { RestorePrinter } from './printer.ts'
import { createStreamLines } from './stream-lines.ts'

const steps = [
  { step: 'target', phase: 'validating-target' },
  { step: 'source', phase: 'validating-source' },
  { step: 'sizes', phase: 'validating-sizes' },
] as const

export function createTextPrinter(options: { readonly verbose: boolean }): RestorePrinter {
  const lines = createMarkLines(describePhase)
  const streamed = createStreamLines()
  let plan: RestorePlan | null = null
  let over = false

  function progressOf(state: JobState): string {
    if (plan?.source?.kind !== 'stream') return lines.advance(passesOf(state))
    const received = streamed.advance(state)
    // Passes are all there is to draw, as long as there are any.
    const passes = passesOf(state).filter(
      ({ phase, state: how }) => phase !== 'restoring' || (!streamed.isDrawing && how === 'done'),
    )
    return received + lines.advance(passes)
  }

  return {
    started: () => '',
    planned(found) {
      plan = found
      return preflightText(found, options)
    },
    progressed(state) {
      if (over) return ''
      const progress = progressOf(state)
      if (state.outcome === null) return progress
      over = true
      const done = state.outcome.kind === 'done' ? doneText(state.outcome.summary, plan, state, options) : ''
      return `${progress}${streamed.close()}${lines.close()}${done}`
    },
    abandoned: () => streamed.close() + lines.close(),
  }
}

/** `\tValidating target...done` and so on, up to the first step that failed. */
function preflightText(plan: RestorePlan, { verbose }: { readonly verbose: boolean }): string {
  const names = inTerminal(namesOf(plan))
  let text = ''
  for (const { step, phase } of steps) {
    const checks = plan.checks.filter((check) => check.step === step)
    const failed = checks.some((check) => check.state === 'failed')
    if (checks.length === 0 && plan.refusal !== null) break
    text += `\t${describePhase(phase)}...${failed ? 'failed' : 'done'}\n`
    for (const check of checks.filter((check) => (verbose ? check.kind !== 'losses' : isNews(check)))) {
      if (check.state === 'failed') continue // told as the error
      text += `\t${check.state === 'warning' ? 'Warning: ' : '\t'}${printable(describeCheck(check, names))}\n`
    }
    if (failed) break
  }
  // The losses one by one, instead of the check that only names them.
  if (verbose && plan.refusal === null) {
    for (const loss of plan.losses) text += `\tWill be lost: ${printable(describeLoss(loss))}\n`
  }
  return text
}

/** What erasing means, asr doesn't say before its question; what is odd about this source and this target, is said. */
const isNews = (check: PreflightCheck): boolean =>
  check.kind === 'checksum-left-out' ||
  check.kind === 'only-volume' ||
  (check.state === 'warning' && check.kind !== 'losses' && check.kind !== 'unmounts')

/** asr's last lines. What is told here comes from the engine's own result. */
function doneText(
  summary: RestoreSummary,
  plan: RestorePlan | null,
  state: JobState,
  { verbose }: { readonly verbose: boolean },
): string {
  const target = plan?.target ?? null
  return [
    verbose ? summaryText(summary) : '',
    plan?.request.changedOnly === true ? unchangedText(summary) : '',
    `\tRestored target ${target?.kind === 'file' ? 'file' : 'device'} is ${printable(target?.path ?? '')}.\n`,
    plan === null || target === null || target.kind === 'file' ? '' : afterwardsText(summary, plan, state),
    verbose ? summary.mountPoints.map((place) => `\tMounted at ${printable(place)}\n`).join('') : '',
    'Restore completed successfully.\n',
  ].join('')
}

/** What was spared, which is what was asked for. asr has nothing like it. */
function unchangedText({ restoredBytes, unchangedBytes, writtenBytes, zeroedBytes }: RestoreSummary): string {
  const changedBytes = writtenBytes + zeroedBytes
  if (changedBytes === 0) return `\tNothing had changed: nothing was written.\n`
  return `\tUnchanged: ${formatBytes(unchangedBytes)} of ${formatBytes(restoredBytes)}; ${formatBytes(changedBytes)} had to be written\n`
}

/** That an eject or a remount failed doesn't make the restore a failure: the warnings say why, on standard error. */
function afterwardsText(summary: RestoreSummary, plan: RestorePlan, state: JobState): string {
  if (ejectsTarget(plan)) {
    return `\tEjecting target device...${summary.ejected ? 'done' : 'failed'}\n`
  }
  const unreadable = describeUnreadable(summary.unreadable)
  const explained = unreadable === null ? '' : `\t${printable(unreadable)}\n`
  const remounting = state.phases.find(({ phase }) => phase === 'remounting')
  if (remounting?.state !== 'done') return explained
  // asr's line would say that something is mounted.
  if (summary.remounted && explained !== '' && summary.mountPoints.length === 0) return explained
  return `\tRemounting target volume...${summary.remounted ? 'done' : 'failed'}\n${explained}`
}

function summaryText(summary: RestoreSummary): string {
  const { restoredBytes, bytesPerSecond } = summary
  const seconds = bytesPerSecond > 0 ? restoredBytes / bytesPerSecond : 0
  return [
    // asr: `Copied 7480168448 bytes in 188.14 seconds, 38826.00 KiB/s`, as restore logs of iOS devices show it.
    `Copied ${restoredBytes} bytes in ${seconds.toFixed(2)} seconds, ${(bytesPerSecond / 1024).toFixed(2)} KiB/s`,
    `Written ${formatCount(summary.writtenBytes)} bytes, zeroed ${formatBytes(summary.zeroedBytes)}, unused ${formatBytes(summary.skippedBytes)}`,
    summary.verified
      ? `Verified${summary.checksum === null ? '' : `, CRC-32 ${summary.checksum}`}`
      : 'Not verified',
    `${(summary.durationMs / 1000).toFixed(2)} seconds in all`,
  ]
    .map((line) => `\t${line}\n`)
    .join('')
}

/** The question before anything is erased, as asr asks it. Null when nothing would be lost. */
export function questionText(plan: RestorePlan): string | null {
  const { target } = plan
  if (target === null) return null
  if (target.kind === 'file') {
    if (plan.losses.length === 0) return null
    const lost = plan.losses.filter((loss) => loss.kind === 'file').map((loss) => printable(loss.path))
    // What a disk in a file loses are volumes.
    const files = lost.length === 0 ? [printable(target.path)] : lost
    return `\tOverwrite ${files.length === 1 ? 'file' : 'files'} ${files.join(' and ')}? [ny]: `
  }
  return `\tErase contents of ${printable(target.path)} (${printable(calledAs(target))})? [ny]: `
}

/** Mount points, as asr has them; what isn't mounted is told by its name and size. */
function calledAs(target: TargetInfo): string {
  if (target.mountPoints.length > 0) return target.mountPoints.join(', ')
  return target.sizeBytes === null ? target.name : `${target.name}, ${formatBytes(target.sizeBytes)}`
}
