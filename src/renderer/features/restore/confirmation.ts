/** What has to be typed before the second yes; null: nothing. The engine's wish, and one more of the window's. Pure. */
import type { RestorePlan } from '#shared/model'
import { describeConfirmationReason } from '#shared/words'

export interface ToType {
  readonly phrase: string
  /** Sentences. */
  readonly why: string
}

/** While internal disks are among those one may hit by mistake, a press is too little for any of them. */
export function confirmationOf(
  { confirmation, target }: Pick<RestorePlan, 'confirmation' | 'target'>,
  { internalShown }: { readonly internalShown: boolean },
): ToType | null {
  if (confirmation.kind === 'type')
    return {
      phrase: confirmation.phrase,
      why: confirmation.reasons.map(describeConfirmationReason).join(' '),
    }
  if (!internalShown || !target?.disk || target.disk.practice) return null
  return {
    phrase: target.name,
    why: 'While internal disks are shown, the name of every disk has to be typed.',
  }
}
