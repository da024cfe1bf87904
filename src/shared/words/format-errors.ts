/** Words for images that aren't what they say. */
import type { FormatCode, SerializedError } from '#shared/errors'
import { numberOf, place, quote, textOf, valueOf, type Names } from './details.ts'
import type { ErrorWords } from './error-words.ts'

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

export const formatWords: { readonly [code in FormatCode]: Describe } = {
  E_SRC_FORMAT: (error, names) => {
    const found = valueOf(error, 'found')
    return {
      what: `${theImage(error, names)} isn't a disk image Reprise can read.`,
      why: found === null ? null : `It begins with ${found}.`,
      now: 'Readable are UDIF images (.dmg), raw images, and raw images compressed with gzip, bzip2, xz or zstd.',
    }
  },

  E_SRC_CORRUPT: (error, names) => {
    const offset = numberOf(error, 'offset')
    return {
      what: `${theImage(error, names)} is damaged${offset === null ? '' : ` at ${place(offset)}`}.`,
      why: difference(error),
      now: 'Get a fresh copy of the image and try again.',
    }
  },

  E_SRC_ENCRYPTED: (error, names) => ({
    what: `${theImage(error, names)} is encrypted.`,
    why: "This version of Reprise can't open encrypted images.",
    now: 'Convert it to an image without encryption first.',
  }),

  E_SRC_SEGMENT: (error, names) => {
    const missing = textOf(error, 'segment') ?? valueOf(error, 'expected')
    return {
      what: `A segment of ${sourceName(error, names) === null ? 'the image' : theImage(error, names)} is missing or belongs to another image.`,
      why: missing === null ? null : `Looked for ${missing}.`,
      now: 'Put all parts of the image into one folder, under the names they were made with.',
    }
  },
}
