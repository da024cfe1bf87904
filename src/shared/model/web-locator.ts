/**
 * Locators that lead to a web server: `http://` and `https://`. A name and a password may stand in them; they are for the
 * server alone, and every text that a person or a log sees is made by `withoutPassword`. Pure text: parsing is the engine's.
 */

/** The locator names a file on a web server. */
export const isWebLocator = (locator: string): boolean => /^https?:\/\//i.test(locator)

/** The locator without name and password; other locators as they are. */
export const withoutPassword = (locator: string): string =>
  isWebLocator(locator) ? locator.replace(/^(https?:\/\/)[^/?#]*@/i, '$1') : locator

/** The same address with this name and password in it. */
export const withPassword = (locator: string, name: string, password: string): string =>
  withoutPassword(locator).replace('://', `://${encodeURIComponent(name)}:${encodeURIComponent(password)}@`)

/** What to call the image: the last part of the path, decoded; the host where the path is empty. Never empty. */
export function webName(locator: string): string {
  const [, host = locator, path = ''] = /^https?:\/\/([^/?#]*)([^?#]*)/i.exec(withoutPassword(locator)) ?? []
  const last = path.split('/').findLast((part) => part !== '') ?? ''
  let name = last
  try {
    name = decodeURIComponent(last)
  } catch {
    // Not encoded as it should be: as it stands.
  }
  // What was encoded may be anything.
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  const clean = name
    .replaceAll(/[\u0000-\u001f\u007f-\u009f/\\\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, ' ')
    .trim()
  return clean === '' ? host : clean.slice(0, 255)
}
