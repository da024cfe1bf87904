/** Files that aren't images we can read, told apart as well as their bytes allow. Each function throws or lets pass. */
import { isEncrypted } from '#engine/formats/encrypted'
import { sniffForeign } from '#engine/formats/raw'
import { formatError } from '#engine/formats/struct'
import type { FormatError } from '#shared/errors'

/** What is known of a file before its format is. */
export interface FileEnds {
  readonly path: string
  readonly sizeBytes: number
  /** The first 4 KiB, or all. */
  readonly head: Uint8Array
  /** The last 64 KiB, or all. */
  readonly tail: Uint8Array
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

export const isNamedDmg = (path: string) => /\.(dmg|dmgpart|smi)$/i.test(path)

/** Throws `FormatError` E_SRC_FORMAT for formats that are known and not ours. */
export function refuseForeign({ head, tail }: FileEnds): void {
  const found = sniffForeign(head, tail.subarray(-512))
  if (found !== null)
    throw formatError('E_SRC_FORMAT', { format: found, field: 'signature', offset: 0, found })
}

/** Of what an encrypted file holds: nobody's disk is another encrypted file. Throws `FormatError` E_SRC_FORMAT. */
export function refuseEncryptedTwice({ head, tail }: FileEnds): void {
  if (!isEncrypted(head, tail)) return
  const found = 'an encrypted image inside another one'
  throw formatError('E_SRC_FORMAT', { format: 'encrcdsa', field: 'kind', offset: 0, found })
}

/**
 * Throws `FormatError` E_SRC_CORRUPT for a UDIF image that lost its end. It must not pass for a raw or compressed one:
 * the data of a read-only image begins like a disk, that of a bzip2 or xz one is a stream of these.
 */
export function refuseDamagedUdif(ends: FileEnds): void {
  const sign = damageSign(ends)
  if (sign !== null)
    throw formatError('E_SRC_CORRUPT', {
      format: 'udif',
      field: 'koly',
      offset: Math.max(0, ends.sizeBytes - 512),
      found: sign,
      expected: 'the trailer in the last 512 bytes',
      cutShort: sign !== followed,
    })
}

const followed = 'a trailer that is not at the end'

function damageSign({ path, head, tail }: FileEnds): string | null {
  const end = latin1(tail)
  const isUdifPlist = isNamedDmg(path) || /<key>(resource-fork|blkx|plst|Attributes)<\/key>/.test(end)
  if (/<\/plist>\s*$/.test(end.slice(-64)) && isUdifPlist) return 'the end of a plist'
  if (!isNamedDmg(path)) return null
  if (end.includes('koly\0\0\0\x04\0\0\x02\0')) return followed
  if (end.includes('<key>resource-fork</key>') || /\n\t+[\w+/]{20,}\n\t+[\w+/]{1,}\s*$/.test(end.slice(-256)))
    return 'a plist that is cut off'
  return beginsWithRun(head) ? 'compressed runs' : null
}

/** zlib, bzip2, xz or LZFSE: the data fork begins with the disk's first sectors in one of them. */
function beginsWithRun(head: Uint8Array): boolean {
  return /^(78(01|5e|9c|da)|425a683[1-9]|fd377a585a00|627678(2d|6e|31|32))/.test(
    Buffer.from(head.subarray(0, 6)).toString('hex'),
  )
}

/** What to throw for a file that nothing is known about: its first bytes tell most. */
export function notAnImage({ path, head, sizeBytes }: Omit<FileEnds, 'tail'>): FormatError {
  if (sizeBytes === 0)
    return formatError('E_SRC_FORMAT', { format: 'image', field: 'size', offset: 0, found: 0 })
  return formatError('E_SRC_FORMAT', {
    format: 'image',
    field: 'signature',
    offset: 0,
    found: Buffer.from(head.subarray(0, 16)).toString('hex'),
    expected: 'a disk image',
    sizeBytes,
    // It may be the beginning of a UDIF image whose data looks like nothing that is known.
    cutShort: isNamedDmg(path),
  })
}
