/**
 * A restore for the programs that run asr. What they rely on was read in their sources:
 *
 * - google/restor, restord/ImageSessionServer.m: skips `XSTA`; of lines that begin with PINF (PSTT, PSTP) takes the
 *   second field as the percent; a percent lower than the one before means that the verify has begun; any other line
 *   without indentation is shown as the error when asr fails. It reads standard output and standard error as one pipe.
 * - Imagr, and programs made from it: splits a line at tabs; the second field is a whole percent; of exactly four
 *   fields the fourth says `restore` or `verify`.
 * - rotavault, LCSBlockCopyOperation.m: scans for `PINF` and reads a number after it.
 * - The order of states and the steps of 2 % are as the restore logs of iOS devices show them
 *   (libimobiledevice/idevicerestore issues 175 and 490): start, setup, metadata, restore, verify, finish or fail.
 *
 * So the percent never falls within a pass, the verify begins at 2, and nothing else is printed to standard output.
 */
import { createPercentSteps } from './percent-steps.ts'
import { passesOf } from './passes.ts'
import type { RestorePrinter } from './printer.ts'

const line = (...fields: readonly (string | number)[]) => `${fields.join('\t')}\n`

/** A client of a stream has another name than one of an image, as asr has it. */
export function createPuppetstringsPrinter(options: {
  readonly version: string
  readonly client: 'client' | 'multicast-client'
}): RestorePrinter {
  const steps = { restoring: createPercentSteps(), verifying: createPercentSteps() }
  const begun = new Set<string>()
  let over = false

  return {
    started: () => line('XSTA', 'start', options.version, options.client) + line('XSTA', 'setup'),
    planned(plan) {
      const targetFailed = plan.checks.some((check) => check.step === 'target' && check.state === 'failed')
      return targetFailed ? '' : line('XSTA', 'metadata')
    },
    progressed(state) {
      if (over) return ''
      let text = ''
      for (const pass of passesOf(state)) {
        const name = pass.phase === 'restoring' ? 'restore' : 'verify'
        if (!begun.has(name)) text += line('XSTA', name)
        begun.add(name)
        for (const percent of steps[pass.phase](pass.percent ?? 0)) text += line('PINF', percent, 100, name)
      }
      if (state.outcome === null) return text
      over = true
      return text + line('XSTA', state.outcome.kind === 'done' ? 'finish' : 'fail')
    },
    abandoned() {
      over = true
      return line('XSTA', 'fail')
    },
  }
}
