/** Images made by Apple's own tools, which lie beside the project on some machines; `missing('images')` says whether. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { realImages } from './needs.ts'

/** What is known of one: a line of their `images.json`. */
export interface RealImage {
  /** Its name there, `/` in it. */
  readonly file: string
  readonly path: string
  /** A format, or words for what is none. */
  readonly kind: string
  readonly bytes?: number
  readonly password?: string
  /** Of the disk inside, where it is known. */
  readonly expandedBytes: number
  readonly expandedSha256: string | undefined
  readonly partitionMap?: string
  readonly filesystems?: readonly (readonly [offset: number, name: string])[]
  readonly inOrder?: boolean
  readonly runKinds?: Readonly<Record<string, number>>
}

const folder = realImages()

export const realImagePath = (file: string): string => join(folder ?? '', file)

/** Those that are there; none on other machines. */
export const realImageList: readonly RealImage[] =
  folder === null
    ? []
    : (JSON.parse(readFileSync(join(folder, 'images.json'), 'utf8')) as Omit<RealImage, 'path'>[])
        .map((image) => ({ ...image, path: join(folder, image.file) }))
        .filter(({ path }) => existsSync(path))
