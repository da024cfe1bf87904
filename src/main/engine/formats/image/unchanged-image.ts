/** Whether somebody wrote to an image while it was read, as far as that makes a difference. */
import {
  checksumsOf,
  rememberFiles,
  vouchForAll,
  type ImageLayout,
  type RememberedFiles,
} from '#engine/formats/extents'
import { readBundleFiles } from '#engine/formats/sparse'
import { DeviceError, FormatError } from '#shared/errors'

export interface RememberedImage extends RememberedFiles {
  /** As that of its files; where checksums vouch for all that was read, touching them does no harm. */
  checkUnchanged(): Promise<void>
  /**
   * What reading it failed with, as it is to be told: damage (FormatError E_SRC_CORRUPT) that shows after somebody wrote to the files
   * is DeviceError E_SRC_CHANGED.
   */
  explain(error: unknown): Promise<unknown>
}

/** To be asked before the first byte is read, and again after the last. */
export async function rememberUnchecked(layout: ImageLayout): Promise<RememberedImage> {
  const files = await rememberAll(layout)
  const isVouchedFor = vouchForAll(checksumsOf(layout))
  return {
    async checkUnchanged() {
      if (!isVouchedFor) await files.checkUnchanged()
    },
    async explain(error) {
      if (!(error instanceof FormatError) || error.code !== 'E_SRC_CORRUPT') return error
      try {
        await files.checkUnchanged()
        return error
      } catch (changed) {
        return changed instanceof DeviceError && changed.code === 'E_SRC_CHANGED' ? changed : error
      }
    },
  }
}

async function rememberAll(layout: ImageLayout): Promise<RememberedFiles> {
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
