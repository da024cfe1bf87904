/** The options of `restore`, asr's and ours, and the request they add up to. */
import { UsageError } from '#shared/errors'
import { isStreamLocator, parseStreamLocator, type RestoreRequest } from '#shared/model'
import { usageError, type OptionTable, type Values } from './arguments.ts'
import { macOptions } from './asr-options.ts'
import { locatorFrom, refuseOtherAddresses, targetFrom } from './locator.ts'
import { passwordOptions } from './passwords.ts'

/** The bounds of the engine contract (#shared/contract, bufferingSchema). */
const mostBuffers = 4096
const mostBufferBytes = 256 * 1024 * 1024
/** No map lists more. */
const mostPartitions = 1024

export const restoreOptions = {
  source: {
    kind: 'text',
    letter: 's',
    placeholder: 'SOURCE',
    help: 'A disk image, an http(s) or asr address, a /dev entry, or a mount point.',
  },
  target: {
    kind: 'text',
    letter: 't',
    placeholder: 'TARGET',
    help: 'A /dev entry, a mount point, or a file that becomes a disk image.',
  },
  'source-partition': {
    kind: 'count',
    placeholder: 'N',
    least: 1,
    most: mostPartitions,
    help: 'Restore this partition of the image to a partition. Default: its only volume.',
  },
  file: {
    kind: 'text',
    placeholder: 'FILE',
    help: 'Of an asr address: save the image as this file, or in this folder.',
  },
  erase: {
    kind: 'flag',
    help: 'Erase the target. Required; with --file, only to replace a file.',
  },
  noprompt: { kind: 'flag', help: "Don't ask before the target is erased." },
  noverify: { kind: 'flag', help: "Don't read back and compare what was written." },
  eject: { kind: 'flag', help: 'Eject the target afterwards instead of mounting it.' },
  'clear-unused': { kind: 'flag', help: 'Write zeros over space the image marks as unused, too.' },
  'changed-only': {
    kind: 'flag',
    help: 'Compare first, and write only the blocks of the target that differ.',
  },
  ...passwordOptions,
  puppetstrings: { kind: 'flag', help: 'Print progress for another program to parse, as asr does.' },
  format: {
    kind: 'choice',
    choices: ['HFS+', 'HFSX'],
    help: 'Demand that the source has this format.',
  },
  SHA1: { kind: 'flag', help: 'Demand a SHA-1 digest in the scanned image.' },
  SHA256: { kind: 'flag', help: 'Demand a SHA-256 digest in the scanned image.' },
  buffers: {
    kind: 'count',
    placeholder: 'N',
    least: 1,
    most: mostBuffers,
    help: 'Copy with this many buffers; of an asr address: hold as much while it comes.',
  },
  buffersize: { kind: 'size', placeholder: 'SIZE', most: mostBufferBytes, help: 'Size of each of them.' },
  csumbuffers: {
    kind: 'count',
    placeholder: 'N',
    least: 1,
    most: mostBuffers,
    help: 'Verify with this many buffers. With --file: no effect.',
  },
  csumbuffersize: { kind: 'size', placeholder: 'SIZE', most: mostBufferBytes, help: 'Size of each of them.' },
  timeout: {
    kind: 'count',
    placeholder: 'SECONDS',
    least: 0,
    most: 1_000_000_000,
    help: 'Of an asr address: give up when nothing came for so long. 0: never.',
  },
  interface: {
    kind: 'text',
    placeholder: 'INTERFACE',
    help: 'Of an asr address: receive on this interface. Default: the one to the server.',
  },
  allowfragmentedcatalog: {
    kind: 'flag',
    help: "Has no effect: a block copy doesn't mind a fragmented catalog.",
  },
  // asr keeps these for old scripts: -nocheck means -noverify, and copying blocks is what is always done.
  nocheck: { kind: 'flag', help: null },
  blockonly: { kind: 'flag', help: null },
  ...macOptions,
} as const satisfies OptionTable

export type RestoreValues = Values<typeof restoreOptions>

/** What the image must hold besides what the engine asks for. */
export interface Demands {
  readonly format: 'HFS+' | 'HFSX' | null
  readonly digest: 'SHA-1' | 'SHA-256' | null
}

export interface RestoreCommand {
  readonly request: RestoreRequest
  readonly demands: Demands
  readonly prompt: boolean
}

/** Pure. Throws UsageError. Relative paths begin at `cwd`. */
export function readRestoreCommand(values: RestoreValues, cwd: string): RestoreCommand {
  const { source, target, file } = values
  if (source === null) throw usageError('--source', '--source is missing.', 'It names what is restored.')
  refuseNetwork(source)
  if (file !== null && !isStreamLocator(source)) {
    throw usageError(
      '--file',
      '--file saves a multicast stream, and this source is none.',
      'To restore into a file, name it with --target.',
    )
  }
  if (file !== null && values['source-partition'] !== null) {
    throw usageError(
      '--source-partition',
      '--file saves the whole image, whatever is in it.',
      'Leave --source-partition out.',
    )
  }
  if (target !== null && file !== null)
    throw usageError('--file', "--target and --file can't both be given.", 'Leave one out.')
  if (values.interface !== null && !isStreamLocator(source))
    throw usageError(
      '--interface',
      '--interface is for multicast streams, and this source is none.',
      'Leave it out.',
    )
  const place = target ?? file
  if (place === null) throw usageError('--target', '--target is missing.', 'It names what is written to.')
  if (values.SHA1 && values.SHA256) {
    throw usageError('--SHA256', "--SHA1 and --SHA256 can't both be asked for.", 'Leave one out.')
  }
  if (!values.erase && file === null) {
    throw new UsageError('E_NEEDS_ERASE', '--erase is missing', { details: { input: '--erase' } })
  }
  const verify = !values.noverify && !values.nocheck
  return {
    request: {
      source: locatorFrom(cwd, source),
      target: targetFrom(cwd, place),
      ...(values['source-partition'] === null ? {} : { sourcePartition: values['source-partition'] }),
      erase: values.erase,
      verify,
      clearUnused: values['clear-unused'],
      changedOnly: values['changed-only'],
      afterwards: values.eject ? 'eject' : 'remount',
      timeoutMs: (values.timeout ?? 0) * 1000,
      form: file === null ? 'contents' : 'file',
      ...(values.interface === null ? {} : { interface: values.interface }),
      buffering: {
        buffers: values.buffers,
        bufferBytes: values.buffersize,
        csumBuffers: values.csumbuffers,
        csumBufferBytes: values.csumbuffersize,
      },
    },
    demands: {
      // asr's is about the destination, and heeded with --erase only: a file holds the image as it is, and is no destination.
      format: file === null ? (values.format as Demands['format']) : null,
      digest: !verify ? null : values.SHA1 ? 'SHA-1' : values.SHA256 ? 'SHA-256' : null,
    },
    prompt: !values.noprompt,
  }
}

function refuseNetwork(source: string): void {
  refuseOtherAddresses(source, 'http://, https:// or asr://')
  if (!isStreamLocator(source) || parseStreamLocator(source) !== null) return
  throw usageError(
    '--source',
    "This isn't the address of a multicast stream.",
    'It looks like asr://HOST, asr://HOST:PORT or asr://HOST/SESSION.',
  )
}
