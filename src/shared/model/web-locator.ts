/**
 * Locators that lead to a web server: `http://` and `https://`. A name and a password may stand in them; they are for the
 * server alone, and every text that a person or a log sees is made by `withoutPassword`. Pure text: parsing is the engine's.
 */
import type { SerializedError } from '#shared/errors'

/** The variables that say how the web is reached. */
export const webVariables = [
  'http_proxy',
  'HTTP_PROXY',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
  'SSL_CERT_FILE',
] as const

/** The locator names a file on a web server. */
export const isWebLocator = (locator: string): boolean => /^https?:\/\//i.test(locator)

/** The locator without name and password; other locators as they are. */
export const withoutPassword = (locator: string): string =>
  isWebLocator(locator) ? locator.replace(/^(https?:\/\/)[/\\]*[^/?#]*@/i, '$1') : locator

/** A text that a person wrote, which may hold addresses of any kind, without the names and passwords in them. */
export const withoutPasswords = (text: string): string =>
  text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[/\\]*[^/?#]*@/gi, '$1')

/** The locator as logs show it: what stands behind the path of an address may be a key, too. */
export const publicLocator = (locator: string): string =>
  isWebLocator(locator) ? withoutPassword(locator).replace(/[?#].*$/s, '') : locator

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
  const clean = name.replaceAll(/[\p{Cc}\p{Cf}/\\]/gu, ' ').trim()
  return clean === '' ? host : clean.slice(0, 255)
}

/** A file on a server that something waits for. `locator`: its address without name and password. Sizes in bytes. */
export type WebFetch =
  /** Its server is away for some seconds already, and is asked again and again. `trouble`: what came of it the last time. */
  | { readonly kind: 'awaited'; readonly locator: string; readonly trouble: SerializedError }
  /** Its server gives it only as a whole, and it is on its way. `sizeBytes` null: the server doesn't say. */
  | {
      readonly kind: 'coming'
      readonly locator: string
      readonly doneBytes: number
      readonly sizeBytes: number | null
    }
