/** Words for what keeps a stream from being sent, joined or received. */
import type { NetworkCode, SerializedError } from '#shared/errors'
import { formatBytes, formatCount } from '#shared/units'
import { enumerate, numberOf, quote, sentence, textOf, textsOf, type Names } from './details.ts'
import type { ErrorWords } from './error-words.ts'
import { address, causes, host } from './hosts.ts'
import { byReader } from './readers.ts'

export type MulticastCode = Extract<NetworkCode, `E_MC_${string}`>
type Describe = (error: SerializedError, names: Names) => ErrorWords

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

export const multicastWords: { readonly [code in MulticastCode]: Describe } = {
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

  E_MC_NOSERVER: (error, names) => {
    const owner = textOf(error, 'owner')
    return owner === null
      ? {
          what: 'No server of sessions runs on this computer.',
          why: null,
          now: byReader(names, {
            window: 'It begins with the first stream: Server ▸ Start Stream….',
            terminal: 'Start one with reprise session start, or ask another computer with --server HOST.',
          }),
        }
      : {
          what: 'The server of sessions on this computer belongs to another user.',
          why: 'Only that user can manage it without a password.',
          now: byReader(names, {
            window: 'Do it as that user.',
            terminal: 'Do it as that user, with sudo perhaps, or use --server localhost and its password.',
          }),
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
    if (reason === 'preparing')
      return {
        what: `${host(error)} is still reading what the session will stream.`,
        why: null,
        now: 'Try again when it waits for clients.',
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

  E_MC_PASSWORD: (error, names) => {
    const isGiven = error.details['given'] === true
    if (textOf(error, 'phase') === 'management')
      return {
        what: isGiven ? "This isn't the password." : `${host(error)} asks for a password.`,
        why: null,
        now: `Give the server's management password, or the session's own where one is named${byReader(names, { window: '', terminal: ', with --password-stdin' })}.`,
      }
    return {
      what: isGiven ? "This isn't the stream's password." : 'The stream asks for a password.',
      why: null,
      now: isGiven
        ? 'Try again.'
        : byReader(names, {
            window: 'Enter it.',
            terminal: 'Give it when asked, or on standard input with --stdinpass.',
          }),
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

  E_MC_NOSESSION: (error, names) => {
    const session = textOf(error, 'session')
    const server = textOf(error, 'host') ?? address(error)
    return {
      what: `${host(error)} has no session${session === null ? '' : ` ${quote(session)}`}.`,
      why: serverWords(error),
      now: byReader(names, {
        window: "Check the name in its URL, or choose one of the 'Network Streams' in the sidebar.",
        terminal: `See what it offers: reprise session list${server === null ? '' : ` --server ${server}`}.`,
      }),
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
}
