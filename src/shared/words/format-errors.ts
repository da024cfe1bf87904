/** Words for images that aren't what they say. */
import type { FormatCode, SerializedError } from '#shared/errors'
import { numberOf, place, quote, textOf, valueOf, type Names } from './details.ts'
import type { ErrorWords } from './error-words.ts'
import { byReader, replacingChecksum } from './readers.ts'

type Describe = (error: SerializedError, names: Names) => ErrorWords

const sourceName = (error: SerializedError, names: Names) =>
  names.source ?? textOf(error, 'name') ?? textOf(error, 'path')

const theImage = (error: SerializedError, names: Names): string => {
  const name = sourceName(error, names)
  return name === null ? 'The image' : quote(name)
}

/** What was read and what should have been there, as far as the error knows. */
function difference(error: SerializedError): string | null {
  const field = textOf(error, 'field')
  const found = valueOf(error, 'found')
  const expected = valueOf(error, 'expected')
  const subject = field === null ? 'the data' : field
  if (found !== null && expected !== null) return `Expected ${subject} to be ${expected}, found ${found}.`
  if (expected !== null) return `Expected ${subject} to be ${expected}.`
  if (found !== null) return `Found ${found} as ${subject}.`
  return field === null ? null : `The fault is in ${field}.`
}

/** Its beginning is what it should be, and its end isn't there. */
const isCutShort = (error: SerializedError): boolean => error.details['cutShort'] === true

/** Where a decoder was when the bytes ended says nothing more; what was found there instead does. */
function whyCutShort(error: SerializedError): string {
  const most = "Its end is missing, most likely because its download wasn't completed."
  const isKnown = valueOf(error, 'found') !== null || valueOf(error, 'expected') !== null
  return isKnown ? `${most} ${difference(error)}` : most
}

/** What stands there instead of an image. */
function whatItIs(error: SerializedError): string | null {
  const field = textOf(error, 'field')
  const found = valueOf(error, 'found')
  if (field === 'size' && numberOf(error, 'found') === 0) return 'It is empty.'
  const expected = valueOf(error, 'expected')
  if (field === 'kind' && found !== null) return `It is ${found}.`
  if (field === 'kind') return expected === null ? null : `It isn't ${expected}.`
  if (field === 'signature') {
    if (found === null) return null
    return isCutShort(error)
      ? `It begins with ${found}, and the trailer is missing that a .dmg file ends with: perhaps its download wasn't completed.`
      : `It begins with ${found}.`
  }
  return difference(error)
}

export const formatWords: { readonly [code in FormatCode]: Describe } = {
  E_SRC_FORMAT: (error, names) => ({
    what: `${theImage(error, names)} isn't a disk image Reprise can read.`,
    why: whatItIs(error),
    now: 'Readable are UDIF images (.dmg), sparse images and bundles, raw images, and raw images compressed with gzip, bzip2, xz or zstd.',
  }),

  E_SRC_CORRUPT: (error, names) => {
    const path = textOf(error, 'path')
    if (textOf(error, 'format') === 'sha256' && path !== null)
      return {
        what: `${theImage(error, names)} isn't what the SHA-256 beside it says.`,
        why: difference(error),
        now: `Get a fresh copy of the image. If it was changed on purpose, write a new one (${byReader(names, replacingChecksum)}), or remove ${quote(`${path}.sha256`)}.`,
      }
    const table = textOf(error, 'table')
    // A checksum is over a whole table: that something in it is wrong it tells, and not at which byte.
    if (textOf(error, 'field') === 'checksum' && table !== null)
      return {
        what: `${theImage(error, names)} is damaged${table === '' ? '' : ` in ${quote(table)}`}.`,
        why: difference(error),
        now: 'Get a fresh copy of the image and try again.',
      }
    const offset = numberOf(error, 'offset')
    return {
      what: `${theImage(error, names)} is damaged${offset === null ? '' : ` at ${place(offset)}`}.`,
      why: isCutShort(error) ? whyCutShort(error) : difference(error),
      now: 'Get a fresh copy of the image and try again.',
    }
  },

  E_SRC_ENCRYPTED: (error, names) => ({
    what: `${theImage(error, names)} is encrypted.`,
    why: 'It can only be read with its password.',
    now: byReader(names, {
      window: 'Enter the password.',
      terminal: 'Enter the password, or give it on standard input with --stdinpass.',
    }),
  }),

  E_SRC_PASSWORD: (error, names) => ({
    what: `The password doesn't open ${theImage(error, names).replace(/^The/, 'the')}.`,
    why: null,
    now: 'Try again. Capital and small letters matter.',
  }),

  E_SRC_SEGMENT: (error, names) => {
    const found = valueOf(error, 'found')
    const expected = valueOf(error, 'expected')
    const count = numberOf(error, 'segmentCount')
    const path = textOf(error, 'path')
    if (textOf(error, 'field') === 'koly.segmentNumber' && expected === '1' && found !== null) {
      return {
        what: `${theImage(error, names)} is segment ${found}${count === null ? '' : ` of ${count}`} of an image.`,
        why: null,
        now: 'Name the first segment, the file that ends in .dmg.',
      }
    }
    const missing = found === 'nothing'
    return {
      what: missing
        ? `A segment of ${names.source === undefined ? 'the image' : quote(names.source)} is missing.`
        : `A segment of ${names.source === undefined ? 'the image' : quote(names.source)} belongs to another image.`,
      why:
        path === null
          ? null
          : missing && expected !== null
            ? `${quote(path)} should be ${expected}.`
            : `The segment is ${quote(path)}.`,
      now: 'Put all segments of the image into one folder, under the names they were made with.',
    }
  },
}
