/** A conversion by the engine's own door, as a job would run it. */
import { convertImage } from '#engine/convert'
import { createLogger } from '#shared/log'
import type { ConvertRequest, ImageConversion } from '#shared/model'

export async function convertForReal(
  change: Pick<ConvertRequest, 'source' | 'target' | 'format'> & Partial<ConvertRequest>,
): Promise<ImageConversion> {
  return await convertImage(
    { level: null, erase: true, segmentBytes: null, encryption: null, ...change },
    {
      signal: new AbortController().signal,
      log: createLogger(
        () => undefined,
        () => 0,
      ),
      enter: () => undefined,
      skip: () => undefined,
      advance: () => undefined,
      limitedBy: () => undefined,
      stalled: () => undefined,
      streamed: () => undefined,
      changed: () => undefined,
    },
  )
}
