/** Why something can't be the source, in words: what the well says while it is held over it, and its menu below `Use as Source`. */
import { unreachable } from '#shared/errors'
import { describeProtection } from '#shared/words'
import type { SourceObstacle } from './sources.ts'

/** Half a sentence with a capital: `In use by LVM`. */
export function describeObstacle(obstacle: SourceObstacle): string {
  switch (obstacle.kind) {
    case 'destination':
      return 'It is the destination'
    case 'protected': {
      const words = describeProtection(obstacle.protection)
      return words.charAt(0).toUpperCase() + words.slice(1)
    }
    case 'written':
      return 'In use by a job'
    case 'no-medium':
      return 'It holds no medium'
    case 'unreadable':
      return "It couldn't be read"
    default:
      return unreachable(obstacle)
  }
}
