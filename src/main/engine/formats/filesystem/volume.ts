/** What every file system's sniffer gets and gives. */
/** A volume as sniffers see it. */
export interface Volume {
  /** The first bytes, `headBytes` long; zeros behind the end of a smaller volume. */
  readonly head: Buffer
  readonly sizeBytes: number
  /** More of it; null outside, and where the image can't be decoded: a label isn't worth an error. */
  more(offset: number, lengthBytes: number): Promise<Buffer | null>
}

/** Sniffers look at nothing behind this in the first place: btrfs has its superblock at 64 KiB. */
export const headBytes = 65_536 + 1024

export interface FoundFilesystem {
  /** As Linux calls it: `vfat`, `hfsplus`, `ext4`, … */
  readonly filesystem: string
  /** Which kind of it, where there are several: `FAT32`, `journaled`. */
  readonly version: string | null
  readonly label: string | null
  /** What the file system says its size is; null when it doesn't say, or not cheaply. */
  readonly sizeBytes: number | null
}

/** Null when it isn't there. Never throws for what the bytes are. */
export type Sniffer = (volume: Volume) => FoundFilesystem | null | Promise<FoundFilesystem | null>

/** Trimmed at the first NUL and of spaces; null when nothing is left. */
export function cleanLabel(text: string): string | null {
  const label = (text.split('\0', 1)[0] ?? '').trim()
  // A label is shown: control characters are not part of it.
  return label === '' || /\p{Cc}/u.test(label) ? null : label
}

/** A 64-bit size times its unit, when that is a safe integer. */
export function safeBytes(count: bigint, unit: number): number | null {
  const bytes = count * BigInt(unit)
  return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : null
}
