/** Which work makes sense with an image, as far as the window knows what it is. The engine decides. Pure. */
import { unreachable } from '#shared/errors'
import { isWebLocator, type ImageFormat, type ImageInfo } from '#shared/model'
import type { ImageWork, OpenedImage, SourceChoice, ViewState } from './view-state.ts'

/** An encrypted image, or a stream with a password: it can't be read before the password is known. */
export const isLocked = (image: Pick<OpenedImage | SourceChoice, 'error'>): boolean =>
  image.error?.code === 'E_SRC_ENCRYPTED' || image.error?.code === 'E_MC_PASSWORD'

/** Whoever was asked went away before the answer: that says nothing against the image. */
export const isUnanswered = (image: Pick<OpenedImage | SourceChoice, 'error'>): boolean =>
  image.error?.code === 'E_HOST_LOST' || image.error?.code === 'E_ENGINE_GONE'

/** An image of which nothing is known yet can do everything: it will be read first. */
export function imageCan(view: ViewState, path: string, work: ImageWork): boolean {
  const image = view.images.find((image) => image.path === path)
  if (image?.state === 'failed') return isLocked(image) || isUnanswered(image)
  return !image?.info || can(image.info, path, work)
}

const sparse: readonly ImageFormat[] = ['UDSP', 'UDSB']

const isRaw = ({ format }: ImageInfo) => format.startsWith('raw')
const isUdif = (info: ImageInfo) => !isRaw(info) && !sparse.includes(info.format)

/**
 * Where it is stored: only UDIF has a place for a scan (a raw disk named .dmg has no tables), and nothing is added to what is
 * encrypted.
 */
export const isScannable = (info: ImageInfo): boolean =>
  isUdif(info) && info.tables.length > 0 && info.encrypted === null

/** A file that is encrypted in the oldest way isn't changed where it is; the bands of a bundle are. */
const isChangeable = ({ format, encrypted }: ImageInfo) => encrypted?.version !== 1 || format === 'UDSB'

function can(info: ImageInfo, path: string, work: ImageWork): boolean {
  const { format, scan, encrypted } = info
  const here = !isWebLocator(path)
  // Nothing is added to what is encrypted, or lies on a web server.
  const open = here && encrypted === null
  switch (work) {
    case 'verify':
    case 'convert':
      return true
    case 'scan':
      return isScannable(info) && here
    case 'scan-info':
      return scan !== null
    case 'add-checksum':
      return (isUdif(info) || isRaw(info)) && open
    case 'resize':
      return here && isChangeable(info) && (sparse.includes(format) || format === 'raw' || format === 'UDRW')
    case 'compact':
      return here && isChangeable(info) && sparse.includes(format)
    default:
      return unreachable(work)
  }
}
