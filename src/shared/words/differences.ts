/** Words for where a disk differs from what was written, by the marks that a verify left in its error. */
import type { SerializedError } from '#shared/errors'
import { isPartMarks, partMarks } from '#shared/model'
import { textOf } from './details.ts'

/** See `VerificationDetails.parts`; null for an error that doesn't say where. */
export function differingParts(error: SerializedError): string | null {
  const parts = textOf(error, 'parts')
  return error.code === 'E_VERIFY' && parts !== null && isPartMarks(parts) ? parts : null
}

/** Counted among what was compared: unused space, of which most may consist, says nothing of the disk. */
export function describeDifferences(parts: string): string {
  const wrong = count(parts, 'x')
  const partly = count(parts, '-')
  const blank = count(parts, ' ')
  const compared = partMarks - blank
  const rest = blank === 0 ? '' : ` In the other ${blank === 1 ? 'one' : blank} there was nothing to compare.`
  if (compared === 1)
    return `The only part that was compared is ${partly === 1 ? 'partly ' : ''}wrong.${rest}`
  const whole = `${wrong} ${wrong === 1 ? 'is' : 'are'} wrong`
  const some = `${partly} ${partly === 1 ? 'is' : 'are'} partly wrong`
  const what = partly === 0 ? whole : wrong === 0 ? some : `${whole} and ${some}`
  return `Of ${compared} parts ${blank === 0 ? 'of what was written' : 'that were compared'}, ${what}.${rest}`
}

/**
 * Right up to some place, and nothing behind it: what a disk does that claims to be larger than it is. Told only where enough was compared to
 * say so: a block of a small image is many parts, and one byte makes all of them wrong.
 */
export function endsEarly(parts: string, differingBlocks: number): boolean {
  const isEnough = Math.min(count(parts, 'x'), differingBlocks) >= leastWrong
  return isEnough && /^[. ]*[.][. ]*-?[x ]*$/.test(parts)
}

const leastWrong = 5

const count = (parts: string, mark: string) => parts.split(mark).length - 1
