/** Who may join, as it is typed: a rule a line. What of it are rules, and what is wrong with the rest. Pure. */
import { serializeError, type SerializedError } from '#shared/errors'
import { parseAdmissionRule } from '#shared/model'

export interface AdmissionDraft {
  /** As the engine takes them, in order. */
  readonly rules: readonly string[]
  readonly problems: readonly AdmissionProblem[]
  /** There are rules, and all of them refuse: whom none fits may not join either, so nobody may. */
  readonly admitsNobody: boolean
}

export interface AdmissionProblem {
  /** From 1, as people count lines. */
  readonly line: number
  readonly error: SerializedError
}

/** What the engine takes at most. */
export const mostRules = 1000

/** Empty lines are none. Commas part rules, too, as on the command line. */
export function readAdmission(text: string): AdmissionDraft {
  const rules: string[] = []
  const problems: AdmissionProblem[] = []
  let admits = false
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries())
    for (const rule of line.split(',').map((each) => each.trim())) {
      if (rule === '') continue
      try {
        admits = parseAdmissionRule(rule).verdict === 'may' || admits
        rules.push(rule)
      } catch (error) {
        problems.push({ line: index + 1, error: serializeError(error) })
      }
    }
  return { rules, problems, admitsNobody: rules.length > 0 && problems.length === 0 && !admits }
}
