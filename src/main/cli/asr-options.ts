/**
 * Options of asr's that have no work to do here. Some do nothing and are taken, so that a script which has them runs; some ask for
 * what only macOS can do with its volumes, and those are answered plainly: to leave them out silently would be another restore than
 * the one that was asked for.
 */
import type { OptionTable } from './arguments.ts'

const only = (name: string) => `Leave --${name} out, or use asr on a Mac.`
const absent = (name: string, problem: string) =>
  ({ kind: 'absent', help: null, problem, hint: only(name) }) as const

/** Of `restore`. */
export const macOptions = {
  corestorageconvert: absent(
    'corestorageconvert',
    "--corestorageconvert isn't available: only macOS can make a Core Storage volume of the target.",
  ),
  sourcevolumename: absent(
    'sourcevolumename',
    "--sourcevolumename isn't available: an APFS container is restored as a whole, with all its volumes.",
  ),
  sourcevolumeUUID: absent(
    'sourcevolumeUUID',
    "--sourcevolumeUUID isn't available: an APFS container is restored as a whole, with all its volumes.",
  ),
  useReplication: absent(
    'useReplication',
    "--useReplication isn't available: an APFS container is copied block by block, not replicated.",
  ),
  useInverter: absent(
    'useInverter',
    "--useInverter isn't available: an APFS container is copied block by block, and needs no inverting.",
  ),
  toSnapshot: absent(
    'toSnapshot',
    "--toSnapshot isn't available: an APFS container is restored as it is, not in the state of a snapshot.",
  ),
  fromSnapshot: absent(
    'fromSnapshot',
    "--fromSnapshot isn't available: what changed since an APFS snapshot can't be restored alone.",
  ),
} as const satisfies OptionTable

/** asr takes these with every verb; where nothing is copied they change nothing. */
export const memoryOptions = {
  buffers: { kind: 'count', placeholder: 'N', least: 1, most: 4096, help: null },
  buffersize: { kind: 'size', placeholder: 'SIZE', most: 268_435_456, help: null },
  csumbuffers: { kind: 'count', placeholder: 'N', least: 1, most: 4096, help: null },
  csumbuffersize: { kind: 'size', placeholder: 'SIZE', most: 268_435_456, help: null },
} as const satisfies OptionTable
