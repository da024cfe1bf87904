/** A stream's image that only lacks a scan: who starts the stream at a terminal is asked whether it is to be scanned now. */
import { serializeError, type SerializedError } from '#shared/errors'
import { isWebLocator } from '#shared/model'
import { exitCancelled, exitDone } from './exit-status.ts'
import { scanImage } from './imagescan.ts'
import { watchInterrupt } from './interrupt.ts'
import { isYes } from './is-yes.ts'
import { report, tellingOf } from './report.ts'
import type { CliContext, CommonValues } from './verb.ts'

/**
 * After it was told why there is no stream. Resolves to what imagescan came to, as an exit status; null where a scan is no remedy,
 * nobody is there to be asked, or the answer isn't yes.
 */
async function offerScan(
  context: CliContext,
  values: CommonValues,
  { code, details }: SerializedError,
): Promise<number | null> {
  const { terminal } = context
  const path = details['path']
  const isRemedy = code === 'E_SRC_NOSCAN' || code === 'E_MC_NOTORDERED'
  if (!isRemedy || typeof path !== 'string' || isWebLocator(path)) return null
  if (!terminal.isInteractive || values.json) return null
  using interrupt = watchInterrupt(terminal)
  try {
    await terminal.forgetTyped(interrupt.signal)
    terminal.writeError('\tScan it now? [ny]: ')
    const answer = await terminal.readLine(interrupt.signal)
    if (answer === null) terminal.writeError('\n')
    if (!isYes(answer)) return null
  } catch (error) {
    terminal.writeError('\n')
    if (interrupt.causedBy(error)) return exitCancelled
    return report(terminal, serializeError(error), tellingOf(values))
  }
  interrupt[Symbol.dispose]()
  return await scanImage(context, values, { path, reorder: true, allowFragmentedCatalog: false })
}

/** Runs `work`; where it failed for want of a scan, and that is offered and made, once more. Resolves to the exit status. */
export async function onceScanned(
  context: CliContext,
  values: CommonValues,
  work: () => Promise<number | { readonly status: number; readonly error: SerializedError }>,
): Promise<number> {
  const first = await work()
  if (typeof first === 'number') return first
  const scanned = await offerScan(context, values, first.error)
  if (scanned === null) return first.status
  if (scanned !== exitDone) return scanned
  const second = await work()
  return typeof second === 'number' ? second : second.status
}
