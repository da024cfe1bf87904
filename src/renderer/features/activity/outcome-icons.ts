import type { IconState } from '#renderer/components'
import type { JobOutcome } from '#shared/model'

export const outcomeIcons: { readonly [kind in JobOutcome['kind']]: IconState } = {
  done: 'done',
  checked: 'done',
  converted: 'done',
  created: 'done',
  scanned: 'done',
  checksummed: 'done',
  resized: 'done',
  failed: 'failed',
  cancelled: 'stopped',
}
