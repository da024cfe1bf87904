/**
 * Errnos that Node has no name for, and calls `Unknown system error -122`, by number: Linux, <asm-generic/errno.h>. Elsewhere these
 * numbers don't occur.
 */
const unnamed: { readonly [errno: number]: string } = {
  116: 'ESTALE',
  122: 'EDQUOT',
  123: 'ENOMEDIUM',
  124: 'EMEDIUMTYPE',
}

/** `EIO`, `EBUSY`, … of what the system refused; undefined when the value isn't an error with a code. */
export function errnoName(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const name = 'errno' in error && typeof error.errno === 'number' ? unnamed[-error.errno] : undefined
  return name ?? (typeof error.code === 'string' ? error.code : undefined)
}
