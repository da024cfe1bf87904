import { isStreamLocator, parseStreamLocator } from '#shared/model'

/** Why a text can't be the address of an image or a stream, as a sentence that helps; null when it can. Pure. */
export function urlProblem(text: string): string | null {
  const address = text.trim()
  if (address === '') return 'Give the address of an image.'
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return 'An address begins with http://, https:// or asr://.'
  if (isStreamLocator(address))
    return parseStreamLocator(address) === null
      ? 'A stream is named asr://server or asr://server/session.'
      : null
  const url = URL.parse(address)
  if (!url || url.hostname === '') return "This isn't an address."
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `Reprise opens http://, https:// and asr://, not ${url.protocol}//.`
  return address.length > 4000 ? 'This address is too long.' : null
}
