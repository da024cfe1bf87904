/** What is known about figures that don't reach their target: where the time goes. Only those that miss it are printed. */
import { targetText, verdict, type Line } from './line.ts'

/** By the beginning of a line's `what`. */
const known: Readonly<Record<string, string>> = {}

/** One sentence or more for each line that misses its target. */
export function explainMissed(lines: readonly Line[]): readonly string[] {
  return lines
    .filter((line) => verdict(line) === 'FAIL')
    .map((line) => {
      const key = Object.keys(known).find((beginning) => line.what.startsWith(beginning))
      const why = key === undefined ? 'Not understood yet.' : known[key]
      return `**${line.what}** (${targetText(line)}). ${why}`
    })
}
