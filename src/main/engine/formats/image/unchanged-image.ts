/** Whether somebody wrote to an image of which nothing but its files' state can vouch for what was read. */
import {
  checksumsOf,
  rememberFiles,
  vouchForAll,
  type ImageLayout,
  type RememberedFiles,
} from '#engine/formats/extents'
import { readBundleFiles } from '#engine/formats/sparse'
import { DeviceError } from '#shared/errors'

/** To be asked before the first byte is read, and again after the last. */
export async function rememberUnchecked(layout: ImageLayout): Promise<RememberedFiles> {
  if (vouchForAll(checksumsOf(layout))) return rememberFiles([])
  if (layout.kind === 'stream') return rememberFiles([layout.path])
  const { bundle } = layout
  if (bundle === undefined) return rememberFiles(layout.parts.map(({ path }) => path))
  return {
    async checkUnchanged() {
      // Looking at bands as they are opened doesn't tell of new ones, nor of what is written to them afterwards.
      const { state } = await readBundleFiles(bundle.path)
      if (state !== bundle.state)
        throw new DeviceError('E_SRC_CHANGED', `${bundle.path} was written to while it was read`, {
          details: { path: bundle.path, when: 'reading', expected: bundle.state, found: state },
        })
    },
  }
}
