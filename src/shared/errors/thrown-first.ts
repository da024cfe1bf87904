/**
 * What went wrong first. Where `using` closes something after an error and that fails as well, both come in one SuppressedError,
 * whose words help nobody: what closing says follows from what went wrong before.
 */
export function thrownFirst(error: unknown): unknown {
  let first = error
  // Each is the error of one scope less.
  for (let depth = 0; depth < mostScopes && first instanceof Error && 'suppressed' in first; depth++)
    first = first.suppressed
  return first
}

/** Against one that holds itself. */
const mostScopes = 100
