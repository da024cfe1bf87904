/**
 * A stream as its user has it: what it is, any block of it over the control connection, and (in a worker thread of its own)
 * all of it by multicast. Looking doesn't count as joining: nothing starts because somebody looks.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { JoinedSession } from '#engine/multicast/sessions'
import {
  isPassing,
  orAborted,
  type ConnectStreamOptions,
  type StreamConnection,
  type StreamReception,
} from '#engine/stream-connection'
import { AppError, invariant, NetworkError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { StreamLocator } from '#shared/model'
import { changedError } from './changed-error.ts'
import type { ControlSocket } from './control-socket.ts'
import {
  enterSession,
  isEqual,
  isSameStream,
  protocolError,
  type EnteredSession,
  type EnterOptions,
} from './enter-session.ts'
import { chooseInterface } from './receive-interface.ts'
import { endError } from './session-errors.ts'
import { startReception } from './stream-reception.ts'

/** So long a lost connection is tried to be had again before a fetch fails. */
const reconnectMs = 30_000
const retryMs = 500
/** A block whose hash isn't known yet: a server that is still reading tells it each second. */
const hashMs = 10_000
const wrongBound = 3

/** Looks at the stream. Rejects as `enterSession` does. */
export async function connectStream(
  locator: StreamLocator,
  options: ConnectStreamOptions,
): Promise<StreamConnection> {
  const { password, clientId, log, signal } = options
  const closing = new AbortController()
  const enter = (asked: StreamLocator, signal: AbortSignal) =>
    enterSession({ locator: asked, purpose: 'look', password, clientId, signal } satisfies EnterOptions)
  const first = await enter(locator, AbortSignal.any([signal, closing.signal]))
  const { facts, layout } = first.session
  if (options.interface) checkInterface(options.interface, first.control)
  const fingerprint = Buffer.from(first.control.fingerprint).toString('hex')
  // From now on it is this session of this server, whatever was asked for.
  const known: StreamLocator = { ...locator, session: facts.name, fingerprint }
  const looks = createLook(first, {
    enter: () => enter(known, closing.signal),
    log,
  })
  let reception: StreamReception | null = null

  return {
    info: {
      session: facts.name,
      imageName: facts.imageName,
      imageFormat: facts.imageFormat,
      streamBytes: facts.sizeBytes,
      fingerprint,
      pinned: locator.fingerprint !== null,
    },
    sizeBytes: facts.sizeBytes,
    blockBytes: facts.blockBytes,
    blocks: layout.blocks,
    root: facts.root,
    hashOf: (block) => looks.session().hashOf(block),
    fetchBlock(block, signal) {
      invariant(Number.isInteger(block) && block >= 0 && block < layout.blocks, `block ${block} of a stream`)
      return looks.fetch(block, signal)
    },
    receive(how) {
      invariant(reception === null, 'a stream is received once')
      const own = claimId(clientId)
      const started = startReception({
        ...how,
        locator: known,
        password,
        clientId: own.clientId,
        facts,
        interface: options.interface ?? null,
        log,
      })
      reception = started
      void started.over.then(own.release)
      // The worker has a connection of its own; this one is opened again when a block is asked for.
      if (layout.blocks > 0 && looks.session().hashOf(layout.blocks - 1) !== null) looks.rest()
      return started
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new NetworkError('E_NET', 'the stream was closed', closedDetails))
      looks.rest()
      await reception?.finish('cancelled', '')
    },
  }
}

const closedDetails = { details: { address: '', phase: 'control' } }

/** Under which this process receives at this moment. */
const ids = new Set<string>()

/**
 * The id that was asked for, unless somebody receives under it already (onto another disk, by the same window): a server takes
 * two clients of one id for one that came back, and sends the first one away.
 */
function claimId(wanted: Uint8Array) {
  const hex = Buffer.from(wanted).toString('hex')
  if (ids.has(hex)) return { clientId: Uint8Array.from(randomBytes(16)), release: () => undefined }
  ids.add(hex)
  return { clientId: wanted, release: () => void ids.delete(hex) }
}

/** Better now than when the target is erased. */
function checkInterface(wanted: string, control: ControlSocket): void {
  try {
    chooseInterface(wanted, control.localAddress)
  } catch (error) {
    control.destroy()
    throw error
  }
}

interface Look {
  session(): JoinedSession
  fetch(block: number, signal?: AbortSignal): Promise<Uint8Array>
  /** Close the connection until it is needed. */
  rest(): void
}

interface Open {
  readonly control: ControlSocket
  session: JoinedSession
  /** The block that was asked for, and who waits for it. */
  asked: {
    readonly block: number
    readonly resolve: (bytes: Uint8Array) => void
    readonly reject: (error: unknown) => void
  } | null
  lost: unknown
}

/** The connection that looks: opened again when it is needed, one fetch at a time. */
function createLook(
  first: EnteredSession,
  { enter, log }: { readonly enter: () => Promise<EnteredSession>; readonly log: Logger },
): Look {
  let open: Open | null = null
  let session = first.session
  let turn: Promise<unknown> = Promise.resolve()
  let hashesCame = Promise.withResolvers<void>()

  const listen = (entered: EnteredSession) => {
    const at: Open = { control: entered.control, session: entered.session, asked: null, lost: null }
    open = at
    session = entered.session
    hashesCame.resolve()
    hashesCame = Promise.withResolvers<void>()
    void pump(entered, at)
  }

  const pump = async ({ control, link }: EnteredSession, at: Open) => {
    try {
      for (;;)
        for (const output of link.message(await control.next())) {
          if (output.kind === 'hashes') {
            hashesCame.resolve()
            hashesCame = Promise.withResolvers<void>()
          } else if (output.kind === 'block') {
            if (at.asked?.block !== output.block)
              throw protocolError(control.peer, `block ${output.block}, which nobody asked for`)
            const { resolve } = at.asked
            at.asked = null
            resolve(output.bytes)
          } else if (output.kind === 'ended') throw endError(output.end, control.peer)
        }
    } catch (error) {
      control.destroy()
      at.lost = error
      if (open === at) open = null
      at.asked?.reject(error)
    }
  }

  /** The open connection, or a new one. */
  const opened = async (): Promise<Open> => {
    const sinceMs = performance.now()
    for (;;) {
      if (open !== null) return open
      try {
        const entered = await enter()
        if (!isSameStream(first.session.facts, entered.session.facts)) {
          entered.control.destroy()
          throw changedError(entered.control.peer)
        }
        listen(entered)
      } catch (error) {
        if (!isPassing(error) || performance.now() - sinceMs >= reconnectMs) throw error
        log.info('the server does not answer; trying again', { why: String(error) })
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }

  const ask = async (at: Open, block: number): Promise<Uint8Array> =>
    await new Promise((resolve, reject) => {
      if (at.lost !== null) return reject(at.lost)
      at.asked = { block, resolve, reject }
      at.control.send({ kind: 'fetch', block })
    })

  const hashKnown = async (block: number): Promise<Uint8Array> => {
    const deadlineMs = performance.now() + hashMs
    for (;;) {
      const hash = session.hashOf(block)
      if (hash !== null) return hash
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) throw protocolError(first.control.peer, `no hash of block ${block}`)
      let timer: NodeJS.Timeout | undefined
      await Promise.race([
        hashesCame.promise,
        new Promise((resolve) => {
          timer = setTimeout(resolve, leftMs)
        }),
      ])
      clearTimeout(timer)
    }
  }

  const fetchOnce = async (block: number): Promise<Uint8Array> => {
    const sinceMs = performance.now()
    for (;;) {
      const at = await opened()
      try {
        return await ask(at, block)
      } catch (error) {
        AppError.accept(error)
        if (!isPassing(error) || performance.now() - sinceMs >= reconnectMs) throw error
      }
    }
  }

  const fetch = async (block: number): Promise<Uint8Array> => {
    const { layout } = first.session
    for (let tries = 1; ; tries++) {
      const bytes = await fetchOnce(block)
      const hash = await hashKnown(block)
      const found = createHash('sha256').update(bytes).digest()
      if (bytes.length === layout.lengthOf(block) && isEqual(found, hash)) return bytes
      if (tries === wrongBound)
        throw protocolError(first.control.peer, `block ${block} is not what its hash says`)
    }
  }

  listen(first)
  return {
    session: () => session,
    async fetch(block, signal) {
      signal?.throwIfAborted()
      // Whoever gives up, the block that was asked for still comes: the turn is over then.
      const mine = turn.then(async () => {
        signal?.throwIfAborted()
        return await fetch(block)
      })
      turn = mine.catch(() => undefined)
      return await orAborted(mine, signal)
    },
    rest() {
      const at = open
      open = null
      at?.control.destroy()
    },
  }
}
