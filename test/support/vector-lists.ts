/** What `test/vectors/good/vectors.json` and `test/vectors/bad/vectors.json` say of the files beside them. */

/** An image that must open and expand. */
export interface GoodVector {
  readonly file: string
  readonly format: string
  readonly sizeBytes: number
  /** Of the disk, ignored runs as zeros. */
  readonly sha256: string
  readonly inOrder: boolean | null
}

/** A file that must be refused, with this code and at this field. */
export interface BadVector {
  readonly file: string
  readonly code: string
  readonly field: string
}
