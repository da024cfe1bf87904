import type { ImageCreation } from '#shared/model'

/** What each way of making an image has to tell. */
export type Created = Pick<ImageCreation, 'sizeBytes' | 'storedBytes' | 'usedBytes' | 'way' | 'warnings'>
