/**
 * Rules of admission: who may join a session. What an administrator writes, and what is wrong with it, in words; the server
 * and the window read it alike.
 *
 *     lab-*                     a host name, `*` for any letters
 *     10.0.3.7  fd00::7         an address
 *     10.0.3.0/24  fd00::/64    a network
 *     10.0.3.10-10.0.3.40       a range of addresses, both ends in it
 *     3c:07:54:0a:1b:2c         a hardware address, as the client tells it
 *     !lab-07                   any of these with ! in front: may not
 */
import { UsageError } from '#shared/errors'
import { addressNumber, ipv4Number } from './ip-address.ts'

export interface AdmissionRule {
  readonly verdict: 'may' | 'may not'
  readonly match:
    | { readonly kind: 'host'; readonly pattern: string }
    /** As `addressNumber` counts them. */
    | { readonly kind: 'addresses'; readonly first: bigint; readonly last: bigint }
    | { readonly kind: 'hardware'; readonly address: string }
}

/** Throws `UsageError` for what is none of the above; `problem` and `hint` of its details say what is wrong. */
export function parseAdmissionRule(text: string): AdmissionRule {
  const trimmed = text.trim()
  const isRefusal = trimmed.startsWith('!')
  const match = parseMatch((isRefusal ? trimmed.slice(1) : trimmed).trim())
  if (isWrong(match))
    throw new UsageError('E_USAGE', `not a rule of admission: ${text}`, {
      details: { input: 'admission', found: text, problem: match.problem, hint: match.hint },
    })
  return { verdict: isRefusal ? 'may not' : 'may', match }
}

/** Whole sentences. */
interface Wrong {
  readonly problem: string
  readonly hint: string
}

const isWrong = (match: AdmissionRule['match'] | Wrong): match is Wrong => 'problem' in match

function parseMatch(text: string): AdmissionRule['match'] | Wrong {
  if (text === '') return { problem: 'A rule is empty.', hint: 'Name a computer, an address or a network.' }
  if (/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text))
    return { kind: 'hardware', address: text.toLowerCase().replaceAll('-', ':') }
  if (text.includes('/')) return parseNetwork(text)
  const number = addressNumber(text)
  if (number !== null) return { kind: 'addresses', first: number, last: number }
  return parseRange(text) ?? parseHost(text)
}

function parseNetwork(text: string): AdmissionRule['match'] | Wrong {
  const [base = '', prefix = '', ...more] = text.split('/')
  const number = addressNumber(base)
  if (number === null || more.length > 0)
    return { problem: `${quote(text)} is no network.`, hint: 'A network looks like 10.0.3.0/24.' }
  const bits = ipv4Number(base) === null ? 128 : 32
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)
    return {
      problem: `${quote(text)} is no network.`,
      hint: `Behind the / stands a number from 0 to ${bits}: 24 for all that begin as ${bits === 32 ? '10.0.3. does' : 'the first 24 bits do'}.`,
    }
  const size = 1n << BigInt(bits - Number(prefix))
  const first = number - (number % size)
  return { kind: 'addresses', first, last: first + size - 1n }
}

/** Null where it isn't meant as a range. */
function parseRange(text: string): AdmissionRule['match'] | Wrong | null {
  const ends = text.split('-').map((end) => addressNumber(end.trim()))
  const [first, last] = ends
  if (ends.length !== 2 || typeof first !== 'bigint' || typeof last !== 'bigint') return null
  if (first <= last) return { kind: 'addresses', first, last }
  return {
    problem: `${quote(text)} ends before it begins.`,
    hint: 'In a range the lower address stands first: 10.0.3.10-10.0.3.40.',
  }
}

function parseHost(text: string): AdmissionRule['match'] | Wrong {
  // What looks like an address written wrong is no name: it would never fit anybody.
  if (/^\d[\d.*-]*$/.test(text) || text.includes(':'))
    return {
      problem: `${quote(text)} is no address.`,
      hint: addressHint(text),
    }
  if (text.length > 255) return { problem: 'A name is too long.', hint: 'A name has at most 255 characters.' }
  if (!/^[\p{L}\p{N}*._-]+$/u.test(text))
    return {
      problem: `${quote(text)} is no name.`,
      hint: 'A name has letters, digits, dots, hyphens and *, and no spaces.',
    }
  return { kind: 'host', pattern: text.toLowerCase() }
}

function addressHint(text: string): string {
  if (text.includes('*')) return 'Only names have a *. A network looks like 10.0.3.0/24.'
  return text.includes(':')
    ? 'An address looks like fd00::7, a hardware address like 3c:07:54:0a:1b:2c.'
    : 'An address looks like 10.0.3.7, a range like 10.0.3.10-10.0.3.40.'
}

/** Short enough for a sentence, and nothing in it that moves the sentence about. */
function quote(text: string): string {
  const shown = text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '·')
  return `'${shown.length > 48 ? `${shown.slice(0, 47)}…` : shown}'`
}
