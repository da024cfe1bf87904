/**
 * Receives one stream: joins, listens to the group and to the server, keeps the connection or gets it back, and fetches over it
 * what doesn't come by multicast. All in the thread that the datagrams come to; blocks leave it, nothing of a block comes in.
 */
import type { ReceiverOutput } from '#engine/multicast/receiver'
import type { LinkOutput } from '#engine/multicast/sessions'
import type { Message } from '#engine/multicast/wire'
import { isPassing, pause } from '#engine/stream-connection'
import { NetworkError, serializeError } from '#shared/errors'
import type { LogLevel, LogLine } from '#shared/log'
import type { StreamProgress } from '#shared/model'
import { BlockLedger } from './block-ledger.ts'
import { changedError } from './changed-error.ts'
import { enterSession, isSameStream, protocolError, type EnteredSession } from './enter-session.ts'
import { createFetcher, type Fetcher } from './fetcher.ts'
import { keepConnected } from './keep-connected.ts'
import type { Membership } from './membership.ts'
import { createParticipation } from './participation.ts'
import { ReceiverTurns } from './receiver-turns.ts'
import type { FromReception, ReceptionData } from './reception-messages.ts'
import { progressOf } from './reception-progress.ts'
import { timeoutError } from './reception-troubles.ts'
import { presenceMs, ServerPresence } from './server-presence.ts'
import { endError } from './session-errors.ts'
import { createStreamMeter } from './stream-meter.ts'
import { TroubleWatch } from './trouble-watch.ts'

export interface Reception {
  written(block: number): void
  again(block: number): void
  verifying(): void
  halt(): void
  /** Resolves when nothing is under way any more. */
  finish(outcome: Message<'finished'>['outcome'], text: string): Promise<void>
}

const watchMs = 250
/** Of the watch: so often the system is asked what it threw away. */
const dropsEvery = 4
/** A connection must have stood so long until silence means something. */
const silenceMs = 3000
/** While it verifies, the server is told that it is still here. */
const remindMs = 2000
/** Reports don't pile up at a server that doesn't read. */
const mostUnsentBytes = 256 * 1024
const leaveMs = 4000
/** Of one that had everything before it came, and received nothing. */
const noReport: Message<'report'> = {
  kind: 'report',
  asOf: 0,
  expected: 0,
  received: 0,
  repeated: 0,
  rejected: 0,
  dropped: 0,
  blocksDone: 0,
  backlogBytes: 0,
  writeBytesPerSecond: 0,
  needs: [],
}
/** Halted, or all was written, while it connected. */
const over = new NetworkError('E_NET', 'nothing more is received', {
  details: { address: '', phase: 'receive' },
  transient: true,
})

export function createReception(
  data: ReceptionData,
  tell: (message: FromReception, transfer?: readonly ArrayBuffer[]) => void,
): Reception {
  const { facts, timeoutMs } = data
  const stop = new AbortController()
  const now = () => performance.now()
  const log = (level: LogLevel, message: string, fields: LogLine['fields'] = {}) =>
    tell({ kind: 'log', level, message, fields })
  const ledger = new BlockLedger(Math.ceil(facts.sizeBytes / facts.blockBytes), data.have)
  const server = new ServerPresence()
  const meter = createStreamMeter(now())
  const troubles = new TroubleWatch({
    facts,
    log,
    warn: (warning) => tell({ kind: 'warning', warning: serializeError(warning) }),
  })
  const turns = new ReceiverTurns({
    receiver: () => membership?.receiver ?? null,
    hear: (output) => hear(output),
  })
  const participation = createParticipation({
    data,
    ledger,
    onDatagram: (receiver, nowMs) => turns.came(receiver, nowMs),
    log,
  })
  let membership: Membership | null = null
  let isSilent = false
  let isComplete = false
  /** The server was told how it ended. */
  let isLeaving = false
  let isOver = false
  let lastPayloadMs = now()
  let lastReport: Message<'report'> | null = null
  let remindedMs = 0

  /** Multicast doesn't arrive, though the server is there. */
  const isDeaf = () => isSilent && server.isHeard(now()) && server.stoodMs(now()) >= silenceMs

  const fail = (error: unknown) => {
    if (isOver) return
    isOver = true
    tell({ kind: 'failed', error: serializeError(error) })
    void halt()
  }

  /** Receive nothing more; the connection stays. */
  const halt = async () => {
    clearInterval(watch)
    turns.stop()
    isOver = true
    const at = membership
    membership = null
    await at?.group.close()
  }

  const hear = (output: ReceiverOutput) => {
    switch (output.kind) {
      case 'block': {
        const { block, bytes } = output
        ledger.handOut(block)
        tell({ kind: 'block', block, bytes }, [bytes.buffer as ArrayBuffer])
        break
      }
      case 'report':
        lastReport = output.report
        if (server.control !== null && server.control.unsentBytes < mostUnsentBytes)
          server.control.send(output.report)
        break
      case 'fetch':
        fetcher.want(output.block)
        break
      case 'silence':
        isSilent = true
        break
      case 'heard':
        isSilent = false
        troubles.heard()
        break
      default:
        complete()
    }
  }

  const complete = () => {
    if (isComplete) return
    isComplete = true
    turns.stop()
    remind()
    void membership?.group.close()
    tellProgress()
    tell({ kind: 'complete' })
  }

  /** Everything is on the disk, and it isn't over yet. */
  const remind = () => {
    remindedMs = now()
    if (isComplete)
      server.control?.send({
        ...(lastReport ?? noReport),
        blocksDone: ledger.blocks,
        backlogBytes: 0,
        needs: [],
      })
  }

  const fetcher: Fetcher = createFetcher({
    ask: (block) => server.control?.send({ kind: 'fetch', block }),
    next: (from) => nextToFetch(from),
  })

  /** While multicast doesn't arrive: a block that is lacking, whose hash is known, and that there is room for. */
  const nextToFetch = (from: number): number | null => {
    if (membership === null || !isDeaf() || server.state === 'waiting' || isComplete) return null
    const { session, receiver } = membership
    for (let step = 0; step < ledger.blocks; step++) {
      const block = (from + step) % ledger.blocks
      if (!ledger.isHere(block) && session.hashOf(block) !== null && receiver.isWanted(block)) return block
    }
    return null
  }

  const onBlock = (at: Membership, block: number, bytes: Uint8Array, peer: string) => {
    if (!fetcher.came(block)) throw protocolError(peer, `block ${block}, which nobody asked for`)
    // Its hash may be on the way: it comes again then.
    if (at.session.hashOf(block) === null) return
    if (!at.receiver.wholeBlock(block, bytes, now())) {
      if (fetcher.wrong(block) === 'too often')
        throw protocolError(peer, `block ${block} is not what its hash says`)
      return
    }
    lastPayloadMs = now()
    meter.fetched(bytes.length)
  }

  const onOutput = (output: LinkOutput, at: Membership, peer: string) => {
    switch (output.kind) {
      case 'hashes':
        at.receiver.hashesCame(now())
        break
      case 'position':
        server.state = output.position.state
        server.standing = output.position.standing
        if (server.state !== 'waiting') server.waiting = null
        at.receiver.position(output.position, now())
        break
      case 'waiting':
        server.waiting = output.waiting
        lastPayloadMs = now()
        break
      case 'block':
        onBlock(at, output.block, output.bytes, peer)
        break
      case 'ended':
        throw endError(output.end, peer)
      default:
        throw protocolError(peer, `${output.kind} at the wrong time`)
    }
    fetcher.turn()
    turns.settle()
  }

  const takePart = async (entered: EnteredSession): Promise<Membership> => {
    const before = membership
    const joined = await participation.join(entered, before)
    if (joined === before) return joined
    if (isOver || isComplete) {
      await joined.group.close()
      throw over
    }
    turns.changed()
    membership = joined
    isSilent = false
    return joined
  }

  /** Whoever has everything only wants to be seen, and to take leave. */
  const beSeen = async ({ control, link }: EnteredSession): Promise<never> => {
    server.came(control, now())
    remind()
    for (;;)
      for (const output of link.message(await control.next()))
        if (output.kind === 'ended') throw endError(output.end, control.peer)
  }

  /** One connection, from the greeting to its end. Throws what ended it. */
  const connection = async (): Promise<never> => {
    const { locator, password, clientId } = data
    const entered = await enterSession({
      locator,
      purpose: 'join',
      password,
      clientId,
      signal: stop.signal,
    }).catch((error: unknown) => {
      throw hasEnded(error)
        ? endError({ reason: 'stopped', text: '' }, `${locator.host}:${locator.port}`)
        : error
    })
    const { control, link, session } = entered
    try {
      if (!isSameStream(facts, session.facts)) throw changedError(control.peer)
      if (isComplete) return await beSeen(entered)
      const member = await takePart(entered)
      server.state = session.position.state
      server.standing = session.position.standing
      server.waiting = null
      server.came(control, now())
      fetcher.connected()
      turns.settle()
      for (;;) for (const output of link.message(await control.next())) onOutput(output, member, control.peer)
    } finally {
      server.gone()
      fetcher.disconnected()
      control.destroy()
    }
  }

  /** The word on the connection was lost with it; by multicast, and of a server that knows no such session any more, it is the same. */
  const hasEnded = (error: unknown) =>
    membership?.receiver.hasEnded === true && error instanceof NetworkError && error.code === 'E_MC_NOSESSION'

  /** An interface that was there may have lost its address with its cable. */
  const isInterfaceAway = (error: unknown) =>
    membership !== null && error instanceof NetworkError && error.code === 'E_MC_IFACE'

  const judge = (error: unknown) => {
    if (isLeaving) return 'over'
    if (error === over) return 'at once'
    if (isComplete && error instanceof NetworkError && error.code === 'E_MC_ENDED') return 'over'
    return isPassing(error) || isInterfaceAway(error) ? 'later' : 'failed'
  }

  const stateNow = (): StreamProgress['state'] => {
    if (server.control === null || (isSilent && !server.isHeard(now()))) return 'connecting'
    if (server.waiting !== null) return 'waiting'
    return isDeaf() && !isComplete ? 'fetching' : 'receiving'
  }

  const tellProgress = () => {
    const receiver = membership?.receiver.progress() ?? null
    const symbolBytes = membership?.session.facts.symbolBytes ?? 0
    const state = stateNow()
    const silence = state === 'fetching' ? troubles.silence : null
    const parts = { state, server, ledger, meter, receiver, symbolBytes, silence }
    tell({ kind: 'progress', progress: progressOf(parts, now()) })
    if (receiver !== null) lastPayloadMs = Math.max(lastPayloadMs, receiver.lastSymbolMs)
    // While the disk keeps it from asking for anything, a server that is there isn't to blame for sending nothing.
    if (membership?.receiver.isFull === true && server.isHeard(now())) lastPayloadMs = now()
  }

  const checkTimeout = () => {
    if (timeoutMs === 0 || now() - lastPayloadMs < timeoutMs || ledger.missing === 0) return
    const isThere = server.isHeard(now(), Math.min(timeoutMs, presenceMs))
    const what = !isThere ? 'gone' : isDeaf() ? 'unheard' : 'idle'
    fail(timeoutError(data.locator, timeoutMs, what))
  }

  let ticks = 0
  const watch = setInterval(() => {
    ticks += 1
    // First, so that who is told that it is fetched is told why.
    if (membership !== null && !isOver && !isComplete && isDeaf()) troubles.deaf(membership, now())
    tellProgress()
    if (isOver) return
    if (isComplete) {
      if (now() - remindedMs >= remindMs) remind()
      return
    }
    checkTimeout()
    const at = membership
    if (at === null) return
    if (ticks % dropsEvery === 0) void troubles.lookAtDrops(at, () => membership === at)
    if (!isDeaf()) return
    fetcher.turn()
    turns.settle()
  }, watchMs)

  const running = keepConnected({
    connection,
    isToGoOn: () => !stop.signal.aborted && (isComplete || !isOver),
    judge,
    lost: (error, tries) =>
      log(tries === 0 ? 'warn' : 'info', 'no connection to the server; trying again', {
        why: error instanceof Error ? error.message : String(error),
      }),
    signal: stop.signal,
  }).catch(fail)

  return {
    written(block) {
      if (!ledger.written(block)) return
      // What there is room for now has yet to be asked for.
      lastPayloadMs = now()
      membership?.receiver.written(block, now())
      turns.settle()
      fetcher.turn()
    },
    again(block) {
      if (!ledger.again(block)) return
      membership?.receiver.again(block, now())
      turns.settle()
    },
    verifying: remind,
    halt: () => void halt(),
    async finish(outcome, text) {
      await halt()
      // The server may be away for a moment, and waits for this word.
      if (outcome === 'done' && server.control === null)
        await Promise.race([running, pause(leaveMs, stop.signal), server.next])
      // The server hangs up as well, which is nothing to complain of or to come back for.
      isLeaving = true
      server.control?.send({ kind: 'finished', outcome, text })
      await server.control?.end()
      stop.abort()
      await running
    },
  }
}
