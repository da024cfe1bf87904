/**
 * Verbs of asr and of ours that this version doesn't have. They are known so that they can be answered plainly, and not
 * listed in the help, because they don't work.
 */
import { UsageError } from '#shared/errors'

const absent: { readonly [verb: string]: { readonly problem: string; readonly hint?: string } } = {
  restoreexact: {
    problem: "This version of Reprise can't resize the target partition, which restoreexact does.",
    hint: 'Use restore: the rest of a larger partition is left unused.',
  },
}

export const absentVerbs: readonly string[] = Object.keys(absent)

/** Throws UsageError E_UNSUPPORTED when `name` is one of them. */
export function refuseAbsent(name: string): void {
  const entry = Object.hasOwn(absent, name) ? absent[name] : undefined
  if (entry === undefined) return
  throw new UsageError('E_UNSUPPORTED', entry.problem, { details: { input: name, ...entry } })
}
