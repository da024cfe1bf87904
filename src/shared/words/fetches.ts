/** The words for files on servers that something waits for. */
import type { SerializedError } from '#shared/errors'
import type { WebFetch } from '#shared/model'
import { formatBytes } from '#shared/units'
import { describeError } from './error-words.ts'

/** While a source is fetched of which nothing is known before all of it is here. */
export const wholeFetchWords = 'The server gives no parts of files, so the whole image is fetched first.'

/** `43.1 MB of 120 MB`, or what there is of it where the server doesn't say how much it will be. */
export const describeFetched = ({ doneBytes, sizeBytes }: Extract<WebFetch, { kind: 'coming' }>): string =>
  sizeBytes === null ? formatBytes(doneBytes) : `${formatBytes(doneBytes)} of ${formatBytes(sizeBytes)}`

/** While a server is away: why, and that it is asked again. */
export function describeAwaited(trouble: SerializedError): string {
  const { what, why } = describeError(trouble)
  return [what, why, 'Trying again.'].filter((part) => part !== null).join(' ')
}

/** How much of it is here, or that there is no getting at it now. */
export const describeFetch = (fetch: WebFetch): string =>
  fetch.kind === 'coming' ? `Fetching image: ${describeFetched(fetch)}` : 'Waiting for the server…'

/** Why it takes long. */
export const describeFetchReason = (fetch: WebFetch): string =>
  fetch.kind === 'coming' ? wholeFetchWords : describeAwaited(fetch.trouble)
