/** Words for what the system refused, and for disks that came, went or failed. */
import type { DeviceCode, SerializedError } from '#shared/errors'
import { formatBytes } from '#shared/units'
import {
  alternatives,
  enumerate,
  numberOf,
  place,
  quote,
  sentence,
  textOf,
  textsOf,
  type Names,
} from './details.ts'
import { cannotRead } from './disks.ts'
import type { ErrorWords } from './error-words.ts'
import { byReader } from './readers.ts'

type Describe = (error: SerializedError, names: Names) => ErrorWords

const path = (error: SerializedError, otherwise: string): string => {
  const name = textOf(error, 'path')
  return name === null ? otherwise : quote(name)
}

const theTarget = (error: SerializedError, names: Names): string =>
  names.target === undefined ? path(error, 'The destination') : quote(names.target)

const theSource = (error: SerializedError, names: Names): string =>
  names.source === undefined ? path(error, 'The source') : quote(names.source)

/** The path goes wrong before its last name. */
const noFolder = (error: SerializedError): string | null => {
  const folder = textOf(error, 'missingFolder')
  return folder === null ? null : `There is no folder ${quote(folder)}.`
}

const maybeInUse = (which: string): ErrorWords => ({
  what: `${which} may be in use by another program.`,
  why: 'Looking at all that runs on this computer took too long.',
  now: 'Close what may write to it, and try again when the computer has less to do.',
})

/** It is about a disk in a file. */
const isFile = (error: SerializedError): boolean => textOf(error, 'kind') === 'file'

/** The window with all rights: a browser's, as Electron's doesn't run as root. */
const asRoot = 'Reprise in a browser, started with sudo'

/** What may help in the window, where no command is repeated. */
function allowedInWindow(error: SerializedError): string {
  // A device was to be read into a file, for which nobody is asked for permission.
  if (textOf(error, 'into') === 'file') return 'Make an image of it instead: File ▸ New Image ▸ From Device….'
  return textOf(error, 'path')?.startsWith('/dev/') === false
    ? 'Choose another place, or have yourself given the right to use it.'
    : `Run ${asRoot}.`
}

/** `The system says EIO.` */
const systemSays = (error: SerializedError): string | null => {
  const errno = textOf(error, 'errno')
  return errno === null ? null : `The system reports ${errno}.`
}

/** What people call what was read or written, where its path is one of the two ends'. */
const nameOf = (error: SerializedError, names: Names): string | null => {
  const at = textOf(error, 'path')
  if (at === null) return null
  if (at === names.targetPath) return names.target ?? null
  return at === names.sourcePath ? (names.source ?? null) : null
}

/** A medium that couldn't be read or written: by its name, with its path in the why. */
const failed = (error: SerializedError, names: Names, how: 'read' | 'written'): ErrorWords => {
  const name = nameOf(error, names)
  const says = systemSays(error)
  const it = textOf(error, 'path')
  if (textOf(error, 'reason') === 'no-answer')
    return {
      what: `${name === null ? path(error, 'The disk') : quote(name)} doesn't answer.`,
      why: "What is read of it doesn't come, and no error either.",
      now: 'Look after its cable, or after the server that it lies on.',
    }
  return {
    what: `${name === null ? path(error, 'The disk') : quote(name)} couldn't be ${how}${at(error)}.`,
    why:
      name === null || it === null || it === name
        ? says
        : (says?.replace(/\.$/, ` for ${quote(it)}.`) ?? `It is ${quote(it)}.`),
    now: 'Usually this is a bad cable, port, card or disk. Try another cable or port.',
  }
}

/** Of an image that was made all the same. */
function unread(error: SerializedError, names: Names): ErrorWords {
  const name = nameOf(error, names)
  const disk = name === null ? path(error, 'The disk') : quote(name)
  const badBytes = numberOf(error, 'badBytes') ?? 0
  // Marks stay for good: the disk may have been well for years.
  if ((numberOf(error, 'failedReads') ?? 0) === 0)
    return {
      what: `${formatBytes(badBytes)} of ${disk} are marked as bad and weren't read.`,
      why: null,
      now: 'The image is complete. If they become more, replace the disk.',
    }
  return {
    what: `${disk} has sectors that can't be read; nothing in use lies there.`,
    why: badBytes === 0 ? null : `${formatBytes(badBytes)} are marked as bad and weren't read, either.`,
    now: 'The image is complete. A disk like this may soon lose more: replace it.',
  }
}

/** How far it was, as it was shown; else the place, which tells less to most. */
const reached = (error: SerializedError): string => {
  const percent = numberOf(error, 'percent')
  if (percent === null) return at(error)
  return textOf(error, 'phase') === 'verifying' ? ` while verifying, at ${percent} %` : ` at ${percent} %`
}

const mountedMeanwhile = (error: SerializedError): string | null => {
  const places = textsOf(error, 'mountPoints')
  return places.length === 0
    ? null
    : `It was mounted meanwhile, at ${enumerate(places.map(quote))}, and may have been written to.`
}

const usedBy = (error: SerializedError): string | null => {
  const holders = textsOf(error, 'holders')
  return holders.length === 0 ? null : `It is used by ${enumerate(holders)}.`
}

const stopped = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)

/** The last line of what a program of the system said; mount(8) adds where one might read on. */
const itSaid = (error: SerializedError): string | null => {
  const lines = (textOf(error, 'stderr') ?? '').split('\n').map((each) => each.trim())
  const line = lines.findLast((each) => each !== '' && !each.startsWith('dmesg(1) may have more'))
  return line === undefined ? null : `The system says: ${stopped(line)}`
}

const at = (error: SerializedError): string => {
  const offset = numberOf(error, 'offset')
  return offset === null ? '' : ` at ${place(offset)}`
}

export const deviceWords: { readonly [code in DeviceCode]: Describe } = {
  E_NOT_FOUND: (error) =>
    textOf(error, 'errno') === 'ENAMETOOLONG'
      ? {
          what: `${path(error, 'What you named')} is too long for a name.`,
          why: "A file's name has at most 255 bytes, with all the folders it is in 4095.",
          now: 'Choose a shorter one.',
        }
      : {
          what: `${path(error, 'What you named')} wasn't found.`,
          why: noFolder(error),
          now: 'Check the spelling, and that the disk is connected.',
        },

  E_DENIED: (error, names) => {
    // Nothing was opened yet: it is the permission itself that was refused.
    if (textOf(error, 'path') === 'pkexec')
      return {
        what: 'The system refuses administrator rights.',
        why: "Its rules don't allow them, or the password was wrong too often.",
        now: 'Try again, or ask who administers this computer.',
      }
    if (textOf(error, 'by') === 'administrator')
      return {
        what: `An administrator can't read ${path(error, 'the image')}, though you can.`,
        why: 'The folder is open to you alone, as network shares and phones often are, and a disk is written with administrator rights.',
        now: 'Copy the image to a disk of this computer, and restore that.',
      }
    return {
      what: `The system refuses access to ${path(error, 'the disk')}.`,
      why: systemSays(error) ?? 'Opening a disk needs administrator rights.',
      // EACCES is for who hasn't the rights, EPERM mostly for everybody.
      now:
        textOf(error, 'errno') === 'EPERM'
          ? "If it is a file, it may be marked as one that can't be changed: see lsattr and chattr."
          : byReader(names, {
              window: allowedInWindow(error),
              terminal: 'Run the same command with sudo.',
            }),
    }
  },

  E_AUTH_CANCEL: () => ({
    what: "Permission wasn't given.",
    why: 'The password prompt was dismissed.',
    now: 'Nothing was changed. Start the restore again when you are ready.',
  }),

  E_AUTH_NOAGENT: (error) => {
    const packages = textsOf(error, 'packages')
    switch (textOf(error, 'missing')) {
      case 'program':
        return {
          what: "pkexec isn't installed.",
          why: "The system asks for an administrator's password with it.",
          now: `Install ${packages.length === 0 ? 'it' : enumerate(packages)}, or run ${asRoot}.`,
        }
      case 'agent':
        return {
          what: 'No authentication agent is running.',
          why: "Without one the system can't ask for an administrator's password.",
          now: `Start one${packages.length === 0 ? '' : `, for example ${alternatives(packages)}`}, or run ${asRoot}.`,
        }
      default:
        return {
          what: "The system couldn't ask for an administrator's password.",
          why: itSaid(error),
          now: `Check that polkitd is running, or run ${asRoot}.`,
        }
    }
  },

  E_SRC_IN_USE: (error, names) => {
    if (textOf(error, 'left') === 'mount')
      return {
        what: `${path(error, 'A volume')} wasn't mounted again.`,
        why: usedBy(error) ?? 'Another program may be reading it.',
        now: 'Mount it when nobody reads it any more.',
      }
    if (textOf(error, 'why') === 'unknown') return maybeInUse(theSource(error, names))
    return {
      what: `${theSource(error, names)} can't be copied while it is in use.`,
      why: usedBy(error),
      now: 'Close what is using it, or unmount it, and try again.',
    }
  },

  E_SRC_GONE: (error, names) => ({
    what: `${theSource(error, names)} is gone.`,
    why: 'It was disconnected, moved or deleted while it was being read.',
    now: 'Bring it back and start again.',
  }),

  E_SRC_CHANGED: (error, names) =>
    textOf(error, 'when') === 'reading'
      ? {
          what: `${theSource(error, names)} was changed while it was read.`,
          why: mountedMeanwhile(error) ?? 'What was read is partly from before and partly from after.',
          now: 'Start again when nobody writes to it.',
        }
      : {
          what: `${theSource(error, names)} has changed since the restore was prepared.`,
          why: "It isn't the source that was checked.",
          now: 'Check it and start again.',
        },

  E_DST_BUSY: (error, names) => {
    const why = usedBy(error) ?? itSaid(error) ?? systemSays(error)
    const left = textOf(error, 'left')
    if (left !== null) return { ...leftUndone(left, error, names), why }
    if (textOf(error, 'why') === 'unknown') return maybeInUse(theTarget(error, names))
    return {
      what: `${theTarget(error, names)} is in use${textOf(error, 'tried') === 'unmount' ? " and couldn't be unmounted" : ''}.`,
      why,
      now: 'Close what is using it and try again.',
    }
  },

  E_DST_GONE: (error, names) =>
    textOf(error, 'left') === 'settled'
      ? {
          what: `${theTarget(error, names)} was disconnected before it was mounted or ejected.`,
          why: null,
          now: 'What was restored to it is complete.',
        }
      : {
          what: `${theTarget(error, names)} was disconnected${reached(error)}.`,
          why: null,
          now: 'Connect it again and restore again.',
        },

  E_DST_CHANGED: (error, names) => {
    const name = theTarget(error, names)
    if (textOf(error, 'when') === 'writing' && textOf(error, 'what') === 'size')
      return {
        what: `${name} was cut shorter while it was being written.`,
        why: 'Part of what was written is gone.',
        now: 'Leave it alone until it is complete, and start again.',
      }
    if (textOf(error, 'when') === 'writing')
      return {
        what: `${name} was deleted or replaced while it was being written.`,
        why: "What was written can't be found under this name.",
        now: 'Leave it alone until it is complete, and start again.',
      }
    if (textOf(error, 'what') === 'contents')
      return {
        what: `${name} has changed since it was checked.`,
        why: 'Something else is on it now: another program writes to it, or has.',
        now: 'Look at what is there now, and start again.',
      }
    return isFile(error)
      ? {
          what: `${name} isn't the file that was checked.`,
          why: 'It was deleted, or another file took its place.',
          now: 'Look at what is there now, and start again.',
        }
      : {
          what: `${name} isn't the disk that was checked.`,
          why: 'Another disk answers at its place now.',
          now: 'Look at the list of disks and choose the destination again.',
        }
  },

  E_DST_READONLY: (error, names) => ({
    what: `${theTarget(error, names)} is write-protected.`,
    why: textOf(error, 'errno') === 'EROFS' ? 'The volume it lies on is mounted read-only.' : null,
    now:
      textOf(error, 'errno') === 'EROFS'
        ? 'Choose another place, or mount that volume for writing.'
        : 'Check the lock switch on the card or its adapter.',
  }),

  E_TMP_FULL: (error) => {
    const needed = numberOf(error, 'neededBytes')
    const free = numberOf(error, 'freeBytes')
    const known = needed !== null && free !== null
    const folder = quote(textOf(error, 'path') ?? 'The folder for temporary files')
    const source = textOf(error, 'source')
    const image = source === null ? 'the image' : `the image of ${quote(source)}`
    return {
      what: known ? `${folder} may be too small for ${image}.` : `${folder} has no room left for ${image}.`,
      why: known
        ? `${formatBytes(free)} are free, and up to ${formatBytes(needed)} will be compressed into it.`
        : 'A disk that is streamed with compression is made an image of first, and that lies there.',
      now: 'Name a folder with more room in TMPDIR when the server is started, or stream without compression.',
    }
  },

  E_DST_FULL: (error, names) => {
    const needed = numberOf(error, 'neededBytes')
    const available = numberOf(error, 'availableBytes')
    // The command line's own: the destination has nothing to do with it.
    if (textOf(error, 'path') === 'standard output') {
      return {
        what: "Standard output can't take any more: the disk it goes to is full.",
        why: null,
        now: 'Free some space there, or send the output elsewhere.',
      }
    }
    // Nothing is written past a device's end: it promised more than there is. A file is stopped by the file system around it.
    if (textOf(error, 'path')?.startsWith('/dev/') === true) {
      return {
        what: `${theTarget(error, names)} has no room left${at(error)}, though it should.`,
        why: "What stores its data is full, as happens with thin and virtual disks and with disks in files; or it isn't as large as it says.",
        now: 'Make room there and restore again, or choose another destination.',
      }
    }
    if (textOf(error, 'errno') === 'EFBIG') {
      const limit = `has a limit: FAT32's is ${formatBytes(2 ** 32)}, ext4's ${formatBytes(2 ** 44)}.`
      return {
        what:
          needed === null
            ? `${theTarget(error, names)} would be larger than a file can be there.`
            : `The disk that holds ${theTarget(error, names)} can't hold a file of ${formatBytes(needed)}.`,
        why:
          needed === null
            ? `The file system it lies on ${limit}`
            : `The volume is made in one first, and the file system there ${limit}`,
        now: 'Choose a place with another file system, or a smaller size.',
      }
    }
    return {
      what: `The disk that holds ${theTarget(error, names)} is full.`,
      why:
        needed !== null && available !== null
          ? `${formatBytes(needed)} are needed; ${formatBytes(available)} are free.`
          : null,
      now: 'Free some space, or choose another place.',
    }
  },

  E_IO_READ: (error, names) =>
    textOf(error, 'left') === 'unread' ? unread(error, names) : failed(error, names, 'read'),

  E_IO_WRITE: (error, names) => failed(error, names, 'written'),

  E_STALL: (error, names) => {
    const seconds = numberOf(error, 'seconds')
    return {
      what: `${theTarget(error, names)} stopped responding${seconds === null ? '' : ` for ${Math.round(seconds)} seconds`}.`,
      why: null,
      now: 'Check the cable and the port, and restore again.',
    }
  },

  E_DEVICE_TOOL: (error, names) => {
    const left = textOf(error, 'left')
    if (left !== null) return { ...leftUndone(left, error, names), ...whyTool(error) }
    const tool = textOf(error, 'tool')
    const wanted = textOf(error, 'package')
    return {
      what: `A program of the system that Reprise relies on is missing or failed${tool === null ? '' : `: ${tool}`}.`,
      why: itSaid(error) ?? sentence(error.message),
      now:
        wanted === null
          ? 'Check that it is installed and works, and try again.'
          : `Install the package ${wanted}, and try again.`,
    }
  },
}

/** Where it was a program that is missing or failed. */
const whyTool = (error: SerializedError) =>
  textOf(error, 'tool') === null ? {} : { why: itSaid(error) ?? sentence(error.message) }

/** What is done when a restore is over, and wasn't: because it was stopped, or the disk doesn't answer. */
function leftUndone(left: string, error: SerializedError, names: Names): ErrorWords {
  const filesystem = textOf(error, 'filesystem')
  if (textOf(error, 'why') === 'unreadable' && filesystem !== null)
    return {
      what: `${path(error, 'A volume')} wasn't mounted again.`,
      why: `${cannotRead([filesystem])}.`,
      now: null,
    }
  const why = textOf(error, 'why') === 'stopped' ? 'That was stopped.' : "The disk doesn't answer."
  if (left === 'eject')
    return {
      what: `${theTarget(error, names)} wasn't ejected.`,
      why,
      now: 'Eject it before you disconnect it.',
    }
  if (left === 'reread')
    return {
      what: `The system may still see the old partitions of ${theTarget(error, names)}.`,
      why,
      now: 'Disconnect it and connect it again before you use it.',
    }
  if (left === 'cache')
    return {
      what: `${path(error, 'The file')} was compared with what this computer still had in memory.`,
      why: "This system can't be made to read it from the medium.",
      now: 'Verify the image later, if you are in doubt about the medium.',
    }
  return {
    what: `${path(error, 'A volume')} wasn't mounted again.`,
    why,
    now: 'Mount it, or disconnect the disk and connect it again.',
  }
}
