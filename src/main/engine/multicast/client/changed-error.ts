/** Another image than the one that was begun with: on no account is it mixed with that. */
import { NetworkError } from '#shared/errors'

export const changedError = (address: string): NetworkError =>
  new NetworkError('E_MC_CHANGED', 'its session has another root than the one that was begun with', {
    details: { address, host: address, phase: 'control' },
  })
