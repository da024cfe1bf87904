/** Resizing and compacting an image: what is asked and what came out. Plain data; sizes in bytes. */

export interface ResizeRequest {
  /** A raw image, a sparse image or a sparse bundle. */
  readonly path: string
  /** Of the disk inside, afterwards. Whole sectors of 512. */
  readonly sizeBytes: number
}

export interface ImageResizing {
  readonly path: string
  /** Of the disk inside. */
  readonly beforeBytes: number
  readonly afterBytes: number
  /** Of all files of the image together, afterwards; of a raw image its length, holes included. */
  readonly storedBytes: number
  readonly storedBeforeBytes: number
}
