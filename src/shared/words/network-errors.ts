/** Words for what servers, proxies and the network between answer, or don't; those for streams are in a file of their own. */
import type { NetworkCode, SerializedError } from '#shared/errors'
import { formatBytes } from '#shared/units'
import { numberOf, quote, sentence, textOf, valueOf, type Names } from './details.ts'
import type { ErrorWords } from './error-words.ts'
import { address, causes, host, theHost } from './hosts.ts'
import type { MulticastCode } from './multicast-errors.ts'

type Describe = (error: SerializedError, names: Names) => ErrorWords

/** OpenSSL's and Node's names for what is wrong with a certificate. */
function whyNotTrusted(error: SerializedError): string {
  switch (textOf(error, 'reason')) {
    case 'expired':
      return 'Its certificate has expired.'
    case 'not-yet-valid':
      return "Its certificate isn't valid yet: is this computer's clock right?"
    case 'self-signed':
      return 'Its certificate is self-signed: nobody vouches for it.'
    case 'unknown-issuer':
      return 'Its certificate was issued by an authority that this computer does not know.'
    case 'wrong-host': {
      const names = textOf(error, 'names')
      return `Its certificate is for ${names ?? 'another host'}.`
    }
    case 'revoked':
      return 'Its certificate was revoked.'
    case 'not-tls':
      return "It doesn't speak TLS at that port."
    default:
      return sentence(error.message === '' ? 'the secure connection failed' : `It was said: ${error.message}`)
  }
}

const tlsAdvice: Readonly<Record<string, string>> = {
  expired: 'Tell who runs the server.',
  'not-yet-valid': 'Set the clock and try again.',
  'wrong-host': 'Use the name the certificate is for.',
  'not-tls': 'Try the address with http:// in front, or another port.',
  revoked: 'Tell who runs the server.',
}

const statusWords: Readonly<Record<number, string>> = {
  403: 'It refuses access.',
  404: 'It has no such file.',
  407: 'The proxy asks for a name and a password.',
  410: 'The file was there and is gone.',
  429: 'It has too many requests at the moment.',
  500: 'It has a problem of its own.',
  502: 'It has a problem of its own.',
  503: "It isn't available at the moment.",
  504: 'It has a problem of its own.',
}

export const networkWords: { readonly [code in Exclude<NetworkCode, MulticastCode>]: Describe } = {
  E_NET: (error) => {
    const errno = textOf(error, 'errno')
    return {
      what: `The network connection${address(error) === null ? '' : ` to ${theHost(error)}`} failed.`,
      why: (errno === null ? undefined : causes[errno]) ?? sentence(error.message),
      now: 'Check the cable, the address and the firewall, and try again.',
    }
  },

  E_NET_STALL: (error) => {
    const seconds = numberOf(error, 'seconds')
    return {
      what: `${host(error)} stopped answering${seconds === null ? '' : ` for ${seconds} s`}.`,
      why: null,
      now: 'Check the network and the server, and try again.',
    }
  },

  E_NET_STATUS: (error) => {
    const status = numberOf(error, 'status')
    const url = address(error)
    return {
      what: `${host(error)} didn't give the image${status === null ? '' : `: status ${status}`}.`,
      why: (status === null ? undefined : statusWords[status]) ?? null,
      now: url === null ? 'Check the address.' : `Check the address: ${quote(url)}.`,
    }
  },

  E_NET_PASSWORD: (error) => {
    const scheme = textOf(error, 'scheme')
    const given = error.details['given'] === true
    if (scheme !== null)
      return {
        what: `${host(error)} asks for a name and a password.`,
        why: `It wants them by a way that Reprise doesn't know: ${scheme}.`,
        now: 'Download the image with another program and restore the file.',
      }
    return {
      what: given
        ? `${host(error)} doesn't accept this name and password.`
        : `${host(error)} asks for a name and a password.`,
      why: null,
      now: 'Give them in the address: https://name:password@host/image.dmg.',
    }
  },

  E_NET_TLS: (error) => ({
    what: `The identity of ${theHost(error)} can't be proven, so nothing was read from it.`,
    why: whyNotTrusted(error),
    now:
      tlsAdvice[textOf(error, 'reason') ?? ''] ??
      "If you trust it, add the certificate of its authority to this computer's, or name a file with it in SSL_CERT_FILE.",
  }),

  E_NET_REDIRECT: (error) => {
    const to = textOf(error, 'to')
    const count = numberOf(error, 'count')
    return {
      what: `${host(error)} sends us on to where Reprise doesn't go.`,
      why:
        textOf(error, 'reason') === 'downgrade'
          ? `From an https address to one without protection${to === null ? '' : `: ${to}`}.`
          : count === null
            ? to === null
              ? null
              : `To ${quote(to)}.`
            : `It did so ${count} times.`,
      now: 'Use the address of the image itself.',
    }
  },

  E_NET_ANSWER: (error) => {
    const field = textOf(error, 'field')
    const found = valueOf(error, 'found')
    const expected = valueOf(error, 'expected')
    const pair =
      found !== null && expected !== null
        ? `${field ?? 'The answer'} should be ${expected}, and is ${found}.`
        : null
    return {
      what: `${host(error)} gave an answer that can't be right.`,
      why: pair === null ? sentence(error.message) : sentence(pair),
      now: 'Try again. If it stays, download the image with another program and restore the file.',
    }
  },

  E_NET_SPACE: (error) => {
    const needed = numberOf(error, 'neededBytes')
    const folder = textOf(error, 'folder')
    return {
      what: `There is no room for the image, which ${theHost(error)} gives only as a whole.`,
      why:
        folder === null
          ? null
          : `${quote(folder)} has less than ${needed === null || needed === 0 ? 'it needs' : formatBytes(needed)} to spare.`,
      now: 'Free some space there, or name another folder in TMPDIR.',
    }
  },

  E_NET_PROXY: (error) => ({
    what: `The proxy${textOf(error, 'proxy') === null ? '' : ` ${textOf(error, 'proxy')}`} can't be used.`,
    why: sentence(error.message === '' ? 'it refused' : error.message),
    now: 'Check http_proxy, https_proxy, all_proxy and no_proxy.',
  }),
}
