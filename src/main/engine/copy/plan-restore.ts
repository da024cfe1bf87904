/** The preflight's answer for whoever asks: what would happen, what would be lost, what to say yes to. */
import { randomUUID } from 'node:crypto'
import { withoutPassword, type RestorePlan, type RestoreRequest } from '#shared/model'
import { examineRestore } from './examine-restore.ts'
import type { RestoreDeps } from './restore-deps.ts'

const neverAborted = new AbortController().signal

/**
 * Look at source and target and say what a restore would do. Touches nothing. A plan with a refusal is an answer, not
 * an error; rejects only with the reason of `signal`.
 */
export async function planRestore(
  request: RestoreRequest,
  deps: RestoreDeps & { readonly signal?: AbortSignal },
): Promise<RestorePlan> {
  const { source, target, checks, losses, confirmation, refusal, needsPrivilege } = await examineRestore(
    request,
    deps,
    { signal: deps.signal ?? neverAborted, enter: () => undefined },
  )
  return {
    planId: randomUUID(),
    // Whoever planned has taken the password out, and keeps it.
    request: { ...request, source: withoutPassword(request.source) },
    source: source?.info ?? null,
    ...(source === null ? {} : { sourceIdentity: source.identity }),
    target: target?.info ?? null,
    checks,
    losses,
    confirmation,
    refusal,
    needsPrivilege,
  }
}
