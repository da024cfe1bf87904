/** A destination's problem in words: what a well says while a disk is held over it, and `Choose…` under its name. */
import { unreachable } from '#shared/errors'
import { formatBytes } from '#shared/units'
import { describeProtection } from '#shared/words'
import type { DestinationProblem } from './destinations.ts'

/** Half a sentence with a capital: `Too small by 3.1 GB`. */
export function describeProblem(problem: DestinationProblem): string {
  switch (problem.kind) {
    case 'protected': {
      const words = describeProtection(problem.protection)
      return words.charAt(0).toUpperCase() + words.slice(1)
    }
    case 'busy':
      return 'In use by a job'
    case 'same':
      return 'It is the source'
    case 'holds-source':
      return `'${problem.sourceName}' is stored on it`
    case 'too-small':
      return `Too small by ${formatBytes(problem.missingBytes)}`
    case 'image-file':
      return "An image file isn't a disk"
    case 'stream':
      return "A stream isn't a disk"
    default:
      return unreachable(problem)
  }
}
