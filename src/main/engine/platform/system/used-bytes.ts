/**
 * How much of a mounted file system is in use. One that has stopped answering (a drive that is dying, a program that
 * stands behind it) keeps whoever asked, which is one of the few threads that this process has for files: so it is
 * asked once, and as long as that question is open nobody asks it again.
 */
import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedQuestions } from './shared-questions.ts'

type Ask = (
  path: string,
) => Promise<{ readonly blocks: number; readonly bfree: number; readonly bsize: number }>

/** Resolves to null when it doesn't say, or not within `patienceMs`. */
export function usedBytesReader(
  ask: Ask = (path) => statfs(path),
  patienceMs = 1000,
): (mountPoint: string) => Promise<number | null> {
  const question = sharedQuestions((mountPoint) =>
    ask(mountPoint).then(
      ({ blocks, bfree, bsize }) => (blocks - bfree) * bsize,
      () => null,
    ),
  )
  return (mountPoint) => Promise.race([question(mountPoint), sleep(patienceMs, null, { ref: false })])
}
