/** Which volume of an image goes into a partition: asked where the engine asks, and where it was answered. Pure. */
import type { ImageInfo } from '#shared/model'
import type { EngineMirror } from './engine-mirror.ts'
import { chosenPartition, shownPlan } from './planner.ts'
import type { ViewState } from './view-state.ts'

interface VolumeChoice {
  /** Its number in the map; null: not chosen yet. */
  readonly chosen: number | null
  readonly image: ImageInfo
}

/** Null: there is nothing to choose. */
export function volumeChoice(_: EngineMirror, view: ViewState): VolumeChoice | null {
  const { source, plan } = view
  if (source?.state !== 'ready' || source.info?.kind !== 'image') return null
  if (source.info.image.partitionMap === 'none') return null
  const chosen = chosenPartition(view)
  const isAsked = shownPlan(plan)?.checks.some(
    (check) => check.kind === 'error' && check.error.code === 'E_SRC_MULTIVOL',
  )
  return chosen === null && isAsked !== true ? null : { chosen, image: source.info.image }
}
