/**
 * Whether a session lets a client in: its rules of admission in order, the first that fits decides. Without rules everyone
 * may; with rules, whom none of them fits may not.
 */
import { addressNumber, type AdmissionRule } from '#shared/model'

/** Who asks. `address` is the connection's, the rest is what it says of itself. */
export interface Applicant {
  readonly address: string
  readonly hostName: string
  readonly hardwareAddresses: readonly Uint8Array[]
}

export function isAdmitted(rules: readonly AdmissionRule[], applicant: Applicant): boolean {
  if (rules.length === 0) return true
  return rules.find(({ match }) => fits(match, applicant))?.verdict === 'may'
}

/** Not for sure where neither names any hardware, so then it isn't. Some of a Mac's hardware has another address after each start. */
export const isSameComputer = (a: Applicant, b: Applicant): boolean =>
  a.address === b.address &&
  a.hostName === b.hostName &&
  a.hardwareAddresses.some((one) => b.hardwareAddresses.some((other) => Buffer.compare(one, other) === 0))

function fits(match: AdmissionRule['match'], applicant: Applicant): boolean {
  switch (match.kind) {
    case 'host':
      return fitsPattern(match.pattern, applicant.hostName.toLowerCase())
    case 'addresses': {
      const number = addressNumber(applicant.address)
      return number !== null && number >= match.first && number <= match.last
    }
    default:
      return applicant.hardwareAddresses.some(
        (bytes) =>
          Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':') === match.address,
      )
  }
}

/** Each part between the stars as early as it can be, which takes no longer the more stars there are. */
function fitsPattern(pattern: string, name: string): boolean {
  const parts = pattern.split('*')
  const [head = '', ...rest] = parts
  const tail = rest.pop()
  if (tail === undefined) return name === pattern
  if (!name.startsWith(head)) return false
  let at = head.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return name.length - tail.length >= at && name.endsWith(tail)
}
