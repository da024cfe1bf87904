/** Words for requests that cannot be right. Nothing has been touched when one of these is told. */
import type { SerializedError, UsageCode } from '#shared/errors'
import { isWebLocator } from '#shared/model'
import { formatBytes } from '#shared/units'
import {
  enumerate,
  numberOf,
  numbersOf,
  quote,
  sentence,
  sizePair,
  textOf,
  textsOf,
  type Names,
} from './details.ts'
import type { ErrorWords } from './error-words.ts'
import { byReader } from './readers.ts'

type Describe = (error: SerializedError, names: Names) => ErrorWords

const targetName = (error: SerializedError, names: Names) =>
  names.target ?? textOf(error, 'name') ?? textOf(error, 'path') ?? textOf(error, 'input')

/** The destination at the start of a sentence. */
const theTarget = (error: SerializedError, names: Names): string => {
  const name = targetName(error, names)
  return name === null ? 'The destination' : quote(name)
}

const lowerTarget = (error: SerializedError, names: Names): string => {
  const name = targetName(error, names)
  return name === null ? 'the destination' : quote(name)
}

const hintOf = (error: SerializedError, names: Names): string | null => {
  const hint = textOf(error, 'hint')
  return byReader(names, { window: textOf(error, 'windowHint') ?? hint, terminal: hint })
}

/** Where the image is scanned: in the window its button stands beside it, or it is in the menu. */
function scanWay(error: SerializedError, names: Names): string {
  const path = textOf(error, 'path')
  const isElsewhere = path !== null && isWebLocator(path)
  return byReader(names, {
    window: isElsewhere ? ' on the computer where it is stored' : ' (Images ▸ Scan Image for Restore…)',
    terminal: `: ${scanCommand(error)}`,
  })
}

/** The scan of the image, as a shell takes it; of one that lies elsewhere, what to do there. */
function scanCommand(error: SerializedError): string {
  const path = textOf(error, 'path')
  if (path === null) return 'reprise imagescan --source IMAGE'
  if (isWebLocator(path)) return 'reprise imagescan --source IMAGE, on the computer where it is stored'
  const plain = /^[\w@%+=:,./\\-]+$/.test(path) ? path : quote(path.replaceAll("'", String.raw`'\''`))
  return `reprise imagescan --source ${plain}`
}

export const usageWords: { readonly [code in UsageCode]: Describe } = {
  // Who throws it says it: `problem`, `hint` and, where that is another in the window, `windowHint` are sentences.
  E_USAGE: (error, names) => ({
    what: textOf(error, 'problem') ?? sentence(error.message),
    why: null,
    now: hintOf(error, names),
  }),

  E_UNSUPPORTED: (error, names) => ({
    what: textOf(error, 'problem') ?? sentence(error.message),
    why: textOf(error, 'reason'),
    now: hintOf(error, names),
  }),

  E_NEEDS_ERASE: (_, names) => ({
    what: 'Erase is required.',
    why: "A restore replaces everything on the destination. Copying files and keeping what is there isn't available yet.",
    now: byReader(names, { window: "Tick 'Erase destination'.", terminal: 'Add --erase.' }),
  }),

  E_NOT_CONFIRMED: (error) => ({
    what: "The restore wasn't confirmed.",
    why: textOf(error, 'problem'),
    now: textOf(error, 'hint') ?? 'Nothing was changed. Start it again and confirm what will be lost.',
  }),

  E_SAME: () => ({
    what: 'The source and the destination overlap.',
    why: 'They are the same, or one lies inside the other: what is read would be overwritten.',
    now: 'Choose another destination.',
  }),

  E_DST_SYSTEM: (error, names) => {
    const mountPoint = textOf(error, 'mountPoint')
    const program = textOf(error, 'program')
    if (program !== null)
      return {
        what: `Reprise runs from ${lowerTarget(error, names)}, so it can't be a destination.`,
        why: `It holds ${quote(program)}.`,
        now: 'Choose another destination, or start Reprise from another disk.',
      }
    return {
      what: `${theTarget(error, names)} runs this computer and can't be a destination.`,
      why: mountPoint === null ? null : `It holds ${mountPoint}.`,
      now: 'Choose another destination.',
    }
  },

  E_DST_HOLDS_SRC: (_, names) => ({
    what: `The source is stored on ${names.target === undefined ? 'the destination' : quote(names.target)}.`,
    why: 'Erasing the disk would destroy the image while it is being read.',
    now: 'Move the image to another disk first, or choose another destination.',
  }),

  E_DST_SMALL: (error, names) => {
    const needed = numberOf(error, 'neededBytes')
    const available = numberOf(error, 'availableBytes')
    const known = needed !== null && available !== null && needed > available
    const [needs, has] = known ? sizePair(needed, available) : ['', '']
    return {
      what: known
        ? `${theTarget(error, names)} is ${formatBytes(needed - available)} too small.`
        : `${theTarget(error, names)} is too small.`,
      why: known ? `The source needs ${needs}; the destination has ${has}.` : null,
      now: 'Choose a larger destination.',
    }
  },

  E_DST_EXISTS: (error, names) => ({
    what: `${theTarget(error, names)} already exists.`,
    why: "It would be overwritten, and Erase wasn't chosen.",
    now: `Choose another name, or ${byReader(names, { window: "tick 'Erase destination'", terminal: 'add --erase' })}.`,
  }),

  E_DST_KIND: (error, names) => {
    const what = textOf(error, 'what') ?? textOf(error, 'found')
    return {
      what: textOf(error, 'problem') ?? `${theTarget(error, names)} can't be restored onto.`,
      why: what === null ? null : `It is ${what}.`,
      now: textOf(error, 'hint') ?? 'Choose a disk, a partition, a mounted volume or a file.',
    }
  },

  E_SRC_NOSCAN: (error, names) => {
    const name = names.source ?? textOf(error, 'name') ?? textOf(error, 'path')
    const digest = textOf(error, 'digest')
    const subject = name === null ? 'The source' : quote(name)
    if (textOf(error, 'scanned') === 'by-another')
      return {
        what: `${subject} was scanned by another program, and not by Reprise.`,
        why: "A stream needs the hash of every block, which only Reprise's scan stores: without it a client couldn't tell whether its disk is right.",
        now: `Scan it with Reprise${scanWay(error, names)}.`,
      }
    const obstacle = textOf(error, 'obstacle')
    if (obstacle !== null)
      return {
        what: `${subject} hasn't been scanned for restore, and can't be.`,
        why:
          obstacle === 'encrypted'
            ? 'Nothing can be added to an encrypted image.'
            : 'Only UDIF images (.dmg) have a place for a scan.',
        now: `Convert it first${byReader(names, { window: ' (Images ▸ Convert…)', terminal: ': reprise image convert --format UDZO' })}. Then scan what it makes.`,
      }
    return digest === null
      ? {
          what: `${subject} hasn't been scanned for restore.`,
          why: "Without a scan a copy can't be verified by its digests, and the image can't be multicast.",
          now:
            textOf(error, 'purpose') === 'multicast'
              ? `Scan it${scanWay(error, names)}.`
              : byReader(names, {
                  window: `Scan it${scanWay(error, names)}, or restore without 'Verify after restore'.`,
                  terminal:
                    'Scan it: reprise imagescan --source IMAGE. Or restore without verification: --noverify.',
                }),
        }
      : {
          what: `${subject} has no scan information with ${digest}.`,
          why:
            digest === 'SHA-1'
              ? 'Such a digest is only in images that older versions of asr scanned; today SHA-256 is stored.'
              : `A ${digest} digest is stored in the image when it is scanned for restore.`,
          now: byReader(names, {
            window: 'Scan it.',
            terminal: "Leave the option out to verify by the image's own checksums, or add --noverify.",
          }),
        }
  },

  E_SRC_MULTIVOL: (error, names) => {
    const name = names.source ?? textOf(error, 'name')
    const partitions = numbersOf(error, 'partitions')
    const volumes = textsOf(error, 'names').map((volume, at) => {
      const place = `partition ${partitions[at]}`
      return volume === '' ? place : `${quote(volume)} (${place})`
    })
    return {
      what: `${name === null ? 'The source' : quote(name)} holds several volumes, and the destination is a single partition.`,
      why: volumes.length === 0 ? null : `They are ${enumerate(volumes)}.`,
      now: byReader(names, {
        window: "Choose one under 'Volume in image', or choose a whole disk.",
        terminal: `Choose one by its number, such as --source-partition ${partitions[0] ?? 1}, or choose a whole disk.`,
      }),
    }
  },

  E_MC_CONFIG: (error) => {
    const path = textOf(error, 'path')
    return {
      what: textOf(error, 'problem') ?? sentence(error.message),
      why: path === null ? null : `It stands in ${quote(path)}.`,
      now: textOf(error, 'hint'),
    }
  },

  E_MC_RIGHTS: (error) => ({
    what: `The password of ${quote(textOf(error, 'session') ?? 'the session')} isn't enough for that.`,
    why: 'It shows that session and stops it.',
    now: "Use the server's management password, or do it on the server's computer.",
  }),

  E_MC_NOTORDERED: (error, names) => {
    const name = names.source ?? textOf(error, 'name') ?? textOf(error, 'path')
    const needed = numberOf(error, 'neededBytes')
    const free = numberOf(error, 'freeBytes')
    return {
      what: `The data of ${name === null ? 'the image' : quote(name)} isn't in order, so it can't be multicast.`,
      why: 'It must lie in the file in the order of the disk, so that each client can write it as it comes.',
      now: `Scan it again${byReader(names, { window: scanWay(error, names), terminal: '' })}, which puts it in order${
        needed === null
          ? ''
          : ` and needs ${formatBytes(needed)} of free space${free === null ? '' : ` (${formatBytes(free)} are free)`}`
      }${byReader(names, { window: '', terminal: scanWay(error, names) })}.`,
    }
  },

  E_SRC_FRAGMENTED: (error, names) => {
    const name = names.source ?? textOf(error, 'name') ?? textOf(error, 'path')
    return {
      what: `The catalog of a volume in ${name === null ? 'the image' : quote(name)} is fragmented.`,
      why: 'It lies in more than eight pieces, which makes every copy of the volume slow.',
      now: `Repair the original, with fsck_hfs -r for one, and make the image anew${byReader(names, { window: "; or scan it with 'Allow a fragmented catalog'", terminal: '; or add --allowfragmentedcatalog' })}.`,
    }
  },
}
