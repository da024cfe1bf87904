/**
 * The program that tests start as a process: as it is shipped where `npm test` has just built it (REPRISE_BUILT=1), which starts in a
 * sixth of the time; else from the sources as they are now.
 */
import { resolve } from 'node:path'

export const programEntry = resolve(
  import.meta.dirname,
  '../..',
  process.env['REPRISE_BUILT'] === '1' ? 'out/main/reprise.js' : 'src/main/reprise.ts',
)
