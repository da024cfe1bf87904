/**
 * A restore for programs of today: one JSON object a line on standard output, `type` first.
 *
 *     check    one of the preflight's findings, with `words`
 *     plan     what will be restored where, and what will be lost
 *     state    the job: phases and progress, at each change and a few times a second
 *     outcome  how it ended
 *     error    why it didn't (printed by report.ts)
 */
import { describeCheck, describeOutcome, inTerminal, namesOf } from '#shared/words'
import { jsonLine } from './json-lines.ts'
import type { RestorePrinter } from './printer.ts'

export function createJsonPrinter(): RestorePrinter {
  let over = false
  return {
    started: () => '',
    planned(plan) {
      const names = inTerminal(namesOf(plan))
      const checks = plan.checks.map((check) => {
        const { kind, ...rest } = check
        return jsonLine('check', { kind, ...rest, words: describeCheck(check, names) })
      })
      const { source, target, losses, confirmation } = plan
      return checks.join('') + jsonLine('plan', { source, target, losses, confirmation })
    },
    progressed(state) {
      if (over) return ''
      const { phases, progress, stopping, startedMs, endedMs, outcome } = state
      const text = jsonLine('state', { phases, progress, stopping, startedMs, endedMs })
      if (outcome === null) return text
      over = true
      return text + jsonLine('outcome', { ...outcome, words: describeOutcome(outcome) })
    },
    abandoned(reason) {
      over = true
      if (reason === 'error') return ''
      const outcome = { kind: 'cancelled', target: 'untouched', percent: null } as const
      return jsonLine('outcome', { ...outcome, words: describeOutcome(outcome) })
    },
  }
}
