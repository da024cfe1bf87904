/** Words for what servers, proxies and the network between answer, or don't. */
import type { NetworkCode, SerializedError } from '#shared/errors'
import { formatBytes, formatCount } from '#shared/units'
import { enumerate, numberOf, quote, sentence, textOf, textsOf, valueOf, type Names } from './details.ts'
import type { ErrorWords } from './error-words.ts'

type Describe = (error: SerializedError, names: Names) => ErrorWords

const address = (error: SerializedError): string | null => textOf(error, 'address')
const host = (error: SerializedError): string => textOf(error, 'host') ?? address(error) ?? 'The server'
const theHost = (error: SerializedError): string => textOf(error, 'host') ?? address(error) ?? 'the server'

/** The system's words for a connection that couldn't be made. */
const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nobody answers at that port.',
  ECONNRESET: 'The connection was cut.',
  EHOSTUNREACH: "The host can't be reached.",
  ENETUNREACH: 'This computer has no way to that network.',
  ENETDOWN: 'The network of this computer is down.',
  ETIMEDOUT: 'The host does not answer.',
  ENOTFOUND: 'There is no host of that name.',
  EAI_AGAIN: "The host's name can't be looked up at the moment.",
  EPIPE: 'The connection was cut.',
  EINVAL:
    "The system doesn't take that address. One that begins with fe80 needs the interface it is on: [fe80::1%eth0].",
}

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

/** What a server said of itself why it doesn't. It is somebody else's text. */
const serverWords = (error: SerializedError): string | null => {
  const text = textOf(error, 'text')
  return text === null ? null : sentence(`It says: ${text}`)
}

/** Nothing arrives, and nobody knows why. */
const silence = {
  why: 'Likely a firewall here or on the way, a switch with IGMP snooping but without a querier, or the wrong interface.',
  now: "The image comes over the connection to the server instead, which is slower for everybody. Let UDP to the group's port through, or enable an IGMP querier.",
}

export const networkWords: { readonly [code in NetworkCode]: Describe } = {
  E_MC_IFACE: (error) => {
    const name = textOf(error, 'interface')
    const known = textsOf(error, 'known')
    const shown = name === null ? 'The network interface' : `The network interface ${quote(name)}`
    const reason = textOf(error, 'reason')
    return {
      what:
        reason === 'down'
          ? `${shown} is down.`
          : reason === 'no-address'
            ? `${shown} has no IPv4 address.`
            : reason === 'none'
              ? 'This computer has no network interface that is up.'
              : `There is no network interface ${name === null ? 'of that name' : quote(name)}.`,
      why: known.length === 0 ? null : `Streams can be sent on ${enumerate(known)}.`,
      now:
        reason === 'down' || reason === 'none'
          ? 'Check the cable and the network settings, or choose another interface.'
          : 'Choose another interface.',
    }
  },

  E_MC_PORT: (error) => {
    const port = numberOf(error, 'port')
    const holder = textOf(error, 'holder')
    const shown = port === null ? 'The port' : `Port ${port}`
    if (textOf(error, 'errno') === 'EACCES')
      return {
        what: `${shown} can't be used.`,
        why: 'Ports below 1024 are for the system.',
        now: 'Choose a larger one; 7800 is usual.',
      }
    return {
      what: `${shown} is used by ${holder ?? 'another program'}.`,
      why: null,
      now: 'Stop it, or choose another port.',
    }
  },

  E_MC_ADDR: (error) => {
    const group = textOf(error, 'address')
    return {
      what: `${group === null || group === '' ? 'That' : group} isn't 224.0.2.0-239.255.255.255.`,
      why: 'Streams are sent to an IPv4 multicast address; those before 224.0.2.0 are for the network itself.',
      now: 'Take one from 239.192.0.0 to 239.255.255.255, which are free for use inside an organization.',
    }
  },

  E_MC_LOOP: (error) => {
    const errno = textOf(error, 'errno')
    const port = numberOf(error, 'port')
    const name = textOf(error, 'interface')
    return {
      what: "A test packet didn't come back: multicast may be blocked by a firewall or switch.",
      why:
        errno === null
          ? null
          : errno === 'EPERM'
            ? 'A firewall of this computer refuses to send it.'
            : (causes[errno] ?? sentence(error.message)),
      now: `Let this computer's firewall pass UDP${port === null ? '' : ` port ${port}`} to and from ${
        textOf(error, 'address') ?? 'the multicast address'
      }, and check that the right interface was chosen${name === null ? '' : ` (${name})`}.`,
    }
  },

  E_MC_RATE: (error) => {
    const rate = numberOf(error, 'dataRate')
    const link = numberOf(error, 'linkBytesPerSecond')
    const isTooMuch = rate !== null && link !== null && rate > link
    return {
      what: `The Data Rate is ${isTooMuch ? 'more than the link can do' : 'more than half of what the link can do'}.`,
      why:
        rate === null || link === null
          ? null
          : `${formatBytes(rate)} a second of at most ${formatBytes(link)}.`,
      now: isTooMuch
        ? 'Choose a lower one.'
        : 'On a network that others use, choose a lower one: phones, name servers and Wi-Fi suffer first.',
    }
  },

  E_MC_TTL: (error) => ({
    what: `A Multicast TTL of ${numberOf(error, 'ttl') ?? 'that'} is not a good one.`,
    why:
      numberOf(error, 'ttl') === 1
        ? 'With 1 the stream stays in its subnet, and some routers suffer from such packets.'
        : 'It must be from 1 to 255.',
    now: 'The usual one is 3.',
  }),

  E_MC_SEND: (error) => {
    const errno = textOf(error, 'errno')
    return {
      what: "The stream's packets can't be sent.",
      why:
        errno === 'EPERM'
          ? 'A firewall of this computer refuses them.'
          : ((errno === null ? undefined : causes[errno]) ?? sentence(error.message)),
      now: `Check the interface${textOf(error, 'interface') === null ? '' : ` ${textOf(error, 'interface')}`}, its cable and the firewall. The stream goes on by itself.`,
    }
  },

  E_MC_NOSERVER: (error) => {
    const owner = textOf(error, 'owner')
    return owner === null
      ? {
          what: 'No server of sessions runs on this computer.',
          why: null,
          now: 'Start one with reprise session start, or ask another computer with --server HOST.',
        }
      : {
          what: 'The server of sessions on this computer belongs to another user.',
          why: 'Only that user can manage it without a password.',
          now: 'Do it as that user, with sudo perhaps, or use --server localhost and its password.',
        }
  },

  E_MC_PROTOCOL: (error) => ({
    what: `${host(error)} doesn't speak the language of our multicast streams.`,
    why: sentence(error.message),
    now: 'Check the address and the port. If it is another version of Reprise, install the same one on both.',
  }),

  E_MC_REFUSED: (error) => {
    const reason = textOf(error, 'reason')
    if (reason === 'wait')
      return {
        what: `${host(error)} doesn't look at passwords from this computer at the moment.`,
        why: serverWords(error),
        now: 'Wait so long, then try again with the right one.',
      }
    return {
      what: `${host(error)} doesn't let this computer join the stream.`,
      why: serverWords(error),
      now:
        reason === 'full'
          ? 'Try again when others have finished.'
          : 'Ask who runs the server to admit this computer by its name or its address.',
    }
  },

  E_MC_PASSWORD: (error) => {
    const isGiven = error.details['given'] === true
    if (textOf(error, 'phase') === 'management')
      return {
        what: isGiven ? "This isn't the password." : `${host(error)} asks for a password.`,
        why: null,
        now: "Give the server's management password, or the session's own where one is named, with --password-stdin.",
      }
    return {
      what: isGiven ? "This isn't the stream's password." : 'The stream asks for a password.',
      why: null,
      now: isGiven ? 'Try again.' : 'Give it when asked, or on standard input with --stdinpass.',
    }
  },

  E_MC_FINGERPRINT: (error) => {
    const found = textOf(error, 'found')
    const expected = textOf(error, 'expected')
    return {
      what: `${host(error)} isn't the server that the address names, so nothing was read from it.`,
      why:
        found === null || expected === null
          ? 'Its certificate has another fingerprint.'
          : `The fingerprint of its certificate is ${found}, and should be ${expected}.`,
      now: "Compare the address with what the server shows. If the server's key was made anew, use its new address; if not, somebody stands in between.",
    }
  },

  E_MC_NOSESSION: (error) => {
    const session = textOf(error, 'session')
    const server = textOf(error, 'host') ?? address(error)
    return {
      what: `${host(error)} has no session${session === null ? '' : ` ${quote(session)}`}.`,
      why: serverWords(error),
      now: `See what it offers: reprise session list${server === null ? '' : ` --server ${server}`}.`,
    }
  },

  E_MC_TIMEOUT: (error) => {
    const seconds = numberOf(error, 'seconds')
    return {
      what: `Nothing of the stream came${seconds === null ? ' for too long' : ` for ${seconds} s`}.`,
      why: sentence(error.message),
      now: 'Check the server and the network, and start again.',
    }
  },

  E_MC_ENDED: (error) => ({
    what: 'The server ended the stream before everything had come.',
    why: serverWords(error),
    now: 'Ask who runs it to start it again, then start this again, too.',
  }),

  E_MC_CHANGED: (error) => ({
    what: `${host(error)} streams another image than before.`,
    why: sentence(error.message),
    now: 'Start again to receive the new image.',
  }),

  E_MC_SILENT: (error) => {
    const group = textOf(error, 'group')
    const name = textOf(error, 'interface')
    return {
      what: `Multicast${group === null ? '' : ` to ${group}`} doesn't reach this computer${name === null ? '' : ` (${name})`}.`,
      ...(textOf(error, 'reason') === 'no-address'
        ? {
            why: 'It has no IPv4 address there, and streams are sent by IPv4.',
            now: 'The image comes over the connection to the server instead, which is slower for everybody. Give this computer an IPv4 address in the network of the server.',
          }
        : silence),
    }
  },

  E_MC_BUFFER: (error) => {
    const asked = numberOf(error, 'askedBytes')
    const granted = numberOf(error, 'grantedBytes')
    const advice = textOf(error, 'advice')
    const what = `The system threw ${formatCount(numberOf(error, 'dropped') ?? 0)} packets of the stream away before they could be read.`
    if (asked !== null && granted !== null && granted >= asked)
      return {
        what,
        why: 'The stream is faster than this computer can take it in.',
        now: "They come again. Lower the stream's data rate if it happens often.",
      }
    return {
      what,
      why: granted === null ? null : `Its receive buffer is only ${formatBytes(granted)}.`,
      now: advice === null ? 'Allow larger receive buffers.' : `Allow larger ones: ${advice}`,
    }
  },

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
