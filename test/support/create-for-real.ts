/** Making an image by the engine's own door, as a job would. */
import { createImage } from '#engine/create'
import { createSystemIo } from '#engine/copy'
import { createPlatform } from '#engine/platform'
import { silentLogger } from '#shared/log'
import type { CreateRequest, ImageCreation } from '#shared/model'
import { quietContext, type QuietContext } from '#test/quiet-context'

export async function createForReal(
  change: Pick<CreateRequest, 'target' | 'from'> & Partial<CreateRequest>,
  context: QuietContext = quietContext(),
): Promise<ImageCreation> {
  const platform = createPlatform({ log: silentLogger })
  return await createImage(
    { format: 'UDRO', level: null, erase: false, encryption: null, volumeName: null, ...change },
    { platform, io: createSystemIo(platform) },
    context,
  )
}
