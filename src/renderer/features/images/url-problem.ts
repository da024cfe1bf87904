/** Why a text can't be the address of an image, as a sentence that helps; null when it can. Pure. */
export function urlProblem(text: string): string | null {
  const address = text.trim()
  if (address === '') return 'Give the address of an image.'
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return 'An address begins with http:// or https://.'
  const url = URL.parse(address)
  if (!url || url.hostname === '') return "This isn't an address."
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `Reprise opens http:// and https://, not ${url.protocol}//.`
  return address.length > 4000 ? 'This address is too long.' : null
}
