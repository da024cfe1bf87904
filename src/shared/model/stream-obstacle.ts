/** Whether an image could be multicast, as far as it says itself. The server looks again, and decides. */
import type { ImageInfo } from './image.ts'
import type { ScanInfo } from './scan.ts'

/** It lies in several files, its data isn't in order, its scan stored no hashes of blocks. */
export type StreamObstacle = 'segments' | 'order' | 'hashes'

/** It was scanned, and nothing stands against multicasting it. */
export const isStreamReady = (info: Pick<ImageInfo, 'inOrder' | 'segmentCount' | 'scan'>): boolean =>
  info.scan !== null && streamObstacle(info, info.scan) === null

/** The first that stands against it; null: nothing. */
export function streamObstacle(
  { inOrder, segmentCount }: Pick<ImageInfo, 'inOrder' | 'segmentCount'>,
  { blocks }: Pick<ScanInfo, 'blocks'>,
): StreamObstacle | null {
  if (segmentCount > 1) return 'segments'
  if (inOrder === false) return 'order'
  return blocks === null ? 'hashes' : null
}
