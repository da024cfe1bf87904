/** Words for a verify that differs and for our own failures; those for the network and for streams are in files of their own. */
import type { BugCode, EngineGoneCode, NetworkCode, SerializedError, VerificationCode } from '#shared/errors'
import { formatBytes } from '#shared/units'
import { counted, numberOf, place, quote, sentence, textOf, textsOf, type Names } from './details.ts'
import { differingParts, endsEarly } from './differences.ts'
import type { ErrorWords } from './error-words.ts'
import { multicastWords } from './multicast-errors.ts'
import { networkWords } from './network-errors.ts'

type Code = NetworkCode | VerificationCode | EngineGoneCode | BugCode

export const otherWords: {
  readonly [code in Code]: (error: SerializedError, names: Names) => ErrorWords
} = {
  ...networkWords,
  ...multicastWords,

  E_VERIFY: (error, names) => {
    const blocks = numberOf(error, 'differingBlocks')
    const offset = numberOf(error, 'offset')
    const expected = textOf(error, 'expected')
    const found = textOf(error, 'found')
    const where = offset === null ? '' : `, the first at ${place(offset)}`
    const disk = names.target ?? textOf(error, 'path')
    const parts = differingParts(error)
    return {
      what: `What was read back from ${disk === null ? 'the destination' : quote(disk)} isn't what was written: ${
        blocks === null ? 'blocks differ' : counted(blocks, 'block differs', 'blocks differ')
      }${where}.`,
      why: expected === null || found === null ? null : `Expected ${expected}, found ${found}.`,
      now:
        parts !== null && endsEarly(parts, blocks ?? 0) && offset !== null
          ? `Nothing behind the first ${formatBytes(offset)} is what was written, as on a disk that holds less than it says. Don't rely on it.`
          : "Don't rely on this disk. Try another cable or port; if it happens again, replace the disk.",
    }
  },

  E_ENGINE_GONE: (error) => {
    const code = numberOf(error, 'exitCode')
    const signal = textOf(error, 'signal')
    const last = textsOf(error, 'lastLines').at(-1)
    const end = signal === null ? (code === null ? null : `exit status ${code}`) : `signal ${signal}`
    return {
      what: 'The part of Reprise that does the work stopped unexpectedly.',
      why:
        end === null && last === undefined
          ? null
          : `It ended${end === null ? '' : ` with ${end}`}${last === undefined ? '.' : `; its last words: ${sentence(last)}`}`,
      now: 'A destination that was being written is incomplete. Restore it again.',
    }
  },

  E_HOST_LOST: () => ({
    what: 'The connection to Reprise was lost.',
    why: "It isn't known whether what was asked for happened.",
    now: 'Look in Activity before you try again.',
  }),

  E_HELPER_VERSION: (error) => {
    const ours = textOf(error, 'ours') ?? textOf(error, 'expected')
    const theirs = textOf(error, 'theirs') ?? textOf(error, 'found')
    return {
      what: "The parts of Reprise don't have the same version.",
      why: ours === null || theirs === null ? null : `This one is ${ours}; the engine is ${theirs}.`,
      now: 'Install Reprise again.',
    }
  },

  E_BUG: (error) => ({
    what: 'Something went wrong inside Reprise.',
    why: sentence(error.message === '' ? 'no more is known' : error.message),
    now: 'Please report it, with the details.',
  }),
}
