/** Converting an image: what is asked and what came out. Plain data; sizes in bytes, times in ms. */
import type { ImageFormat } from './image.ts'

/** What can be written. */
export const writableFormats = [
  'UDRO',
  'UDZO',
  'UDBZ',
  'ULFO',
  'ULMO',
  'UDCO',
  'UDRW',
  'UDSP',
  'UDSB',
  'raw',
] as const satisfies readonly ImageFormat[]
export type WritableFormat = (typeof writableFormats)[number]

/** Formats whose codec has levels, 1 (fast) to 9 (small), and the one that is used unless another is asked for. */
export const compressionLevels: { readonly [format in WritableFormat]?: number } = {
  UDZO: 6,
  UDBZ: 9,
  ULMO: 6,
}

export interface ConvertRequest {
  /** Path of an image. */
  readonly source: string
  /** Path of the file to write. */
  readonly target: string
  readonly format: WritableFormat
  /** See `compressionLevels`; null for the default. */
  readonly level: number | null
  /** A file that is at `target` may be replaced. */
  readonly erase: boolean
  /** UDIF only: the image is cut into files of at most this size, `image.dmg`, `image.002.dmgpart`, … */
  readonly segmentBytes: number | null
  /** The image is encrypted with AES-256; null: it isn't. */
  readonly encryption: { readonly password: string } | null
}

export interface ImageConversion {
  readonly target: string
  readonly format: WritableFormat
  /** Of the disk inside. */
  readonly sizeBytes: number
  /** Of the file written; of a raw image its length, holes included. */
  readonly storedBytes: number
  /** Of all files of the source together. */
  readonly sourceStoredBytes: number
  readonly durationMs: number
  /** Of the disk inside. */
  readonly bytesPerSecond: number
}
