/** Asks for files on servers once more, before something is done that can't be undone: they may be others by now, or refused. */
import type { ImageLayout } from '#engine/formats/extents'
import { isWebLocator } from '#shared/model'
import { openStoredAgain, type OpenStoredOptions } from './open-stored.ts'

/**
 * Each file of `layout` that is on a server is asked for; what is here isn't looked at. Throws DeviceError E_SRC_CHANGED when one isn't in
 * the state of its stamp, what `openStoredAgain` throws.
 */
export async function askServers(
  layout: ImageLayout,
  options: Pick<OpenStoredOptions, 'signal' | 'web'>,
): Promise<void> {
  const parts = layout.kind === 'stream' ? [layout] : layout.parts
  const files = new Map(parts.filter(({ path }) => isWebLocator(path)).map((part) => [part.path, part]))
  for (const file of files.values()) {
    const source = await openStoredAgain(file, { ...options, look: true })
    await source[Symbol.asyncDispose]()
  }
}
