/** What of a check of the network isn't right: what a stream would fail by comes before what is only worth knowing. Pure. */
import type { NetworkCheck } from '#shared/model'

export const wrongChecks = (checks: readonly NetworkCheck[]): readonly NetworkCheck[] =>
  checks
    .filter(({ state }) => state !== 'ok')
    .toSorted((a, b) => Number(b.state === 'failed') - Number(a.state === 'failed'))
