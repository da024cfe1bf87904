/**
 * Receives one stream: joins, listens to the group and to the server, keeps the connection or gets it back, and fetches over it
 * what doesn't come by multicast. All in the thread that the datagrams come to; blocks leave it, nothing of a block comes in.
 */
import { createPassStrip, type PassStrip, type Receiver } from '#engine/multicast/receiver'
import type { LinkOutput } from '#engine/multicast/sessions'
import { startsByHand, type Message, type StreamState } from '#engine/multicast/wire'
import { NetworkError, serializeError } from '#shared/errors'
import type { LogLevel, LogLine } from '#shared/log'
import type { StreamProgress } from '#shared/model'
import { changedError } from './changed-error.ts'
import type { ControlSocket } from './control-socket.ts'
import { enterSession, isEqual, isSameStream, protocolError, type EnteredSession } from './enter-session.ts'
import { createFetcher, type Fetcher } from './fetcher.ts'
import { openMembership, type Membership } from './membership.ts'
import { pause } from './pause.ts'
import { chooseInterface } from './receive-interface.ts'
import type { FromReception, ReceptionData } from './reception-messages.ts'
import { dropWarning, silenceCauses, silenceWarning, timeoutError } from './reception-troubles.ts'
import { endError, isPassing } from './session-errors.ts'
import { createStreamMeter } from './stream-meter.ts'

export interface Reception {
  written(block: number): void
  again(block: number): void
  verifying(): void
  halt(): void
  /** Resolves when nothing is under way any more. */
  finish(outcome: Message<'finished'>['outcome'], text: string): Promise<void>
}

const watchMs = 250
const retryMs = [250, 500, 1000, 2000, 4000] as const
/** A connection must have stood so long until silence means something. */
const silenceMs = 3000
/** A server says where it is each second. */
const presenceMs = 2500
const rejoinMs = 10_000
/** While it verifies, the server is told that it is still here. */
const remindMs = 2000
/** Reports don't pile up at a server that doesn't read. */
const mostUnsentBytes = 256 * 1024
const leaveMs = 4000
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
  const received = Uint8Array.from({ length: Math.ceil(facts.sizeBytes / facts.blockBytes) }, (_, block) =>
    data.have?.[block] === 1 ? 1 : 0,
  )
  /** Handed over, not yet written. */
  const handed = new Set<number>()
  const meter = createStreamMeter(now())
  let strip: PassStrip | null = null
  let membership: Membership | null = null
  let control: ControlSocket | null = null
  /** Resolves with the next connection. */
  let connected = Promise.withResolvers<void>()
  let connectedMs = 0
  let serverState: StreamState = 'waiting'
  let waiting: Message<'waiting'> | null = null
  let isSilent = false
  let isWarned = false
  let isComplete = false
  /** The server was told how it ended. */
  let isLeaving = false
  let isOver = false
  let lastPayloadMs = now()
  let lastReport: Message<'report'> | null = null
  let remindedMs = 0
  let rejoinedMs = 0
  let armedMs = Infinity
  let timer: NodeJS.Timeout | undefined

  const log = (level: LogLevel, message: string, fields: LogLine['fields'] = {}) =>
    tell({ kind: 'log', level, message, fields })

  /** The server is heard over its connection: one that is cut off isn't, long before the connection breaks. */
  const isServerThere = () => control !== null && now() - control.heardMs < presenceMs
  /** Multicast doesn't arrive, though the server is there. */
  const isDeaf = () => isSilent && isServerThere() && now() - connectedMs >= silenceMs

  const fail = (error: unknown) => {
    if (isOver) return
    isOver = true
    tell({ kind: 'failed', error: serializeError(error) })
    void halt()
  }

  /** Receive nothing more; the connection stays. */
  const halt = async () => {
    clearInterval(watch)
    clearTimeout(timer)
    isOver = true
    const at = membership
    membership = null
    await at?.group.close()
  }

  const settle = () => {
    const at = membership
    if (at === null) return
    for (const output of at.receiver.poll(now()))
      switch (output.kind) {
        case 'block': {
          const { block, bytes } = output
          handed.add(block)
          received[block] = 1
          tell({ kind: 'block', block, bytes }, [bytes.buffer as ArrayBuffer])
          break
        }
        case 'report':
          lastReport = output.report
          if (control !== null && control.unsentBytes < mostUnsentBytes) control.send(output.report)
          break
        case 'fetch':
          fetcher.want(output.block)
          break
        case 'silence':
          isSilent = true
          break
        case 'heard':
          isSilent = false
          if (isWarned) log('info', 'multicast arrives again', { group: facts.group })
          isWarned = false
          break
        default:
          complete()
      }
    arm(at.receiver)
  }

  const arm = ({ wakeMs }: Receiver) => {
    if (wakeMs === armedMs) return
    clearTimeout(timer)
    armedMs = wakeMs
    if (wakeMs === Infinity) return
    timer = setTimeout(
      () => {
        armedMs = Infinity
        settle()
      },
      Math.max(0, wakeMs - now()),
    )
  }

  const complete = () => {
    if (isComplete) return
    isComplete = true
    clearTimeout(timer)
    remind()
    void membership?.group.close()
    tellProgress()
    tell({ kind: 'complete' })
  }

  /** Everything is on the disk, and it isn't over yet. */
  const remind = () => {
    remindedMs = now()
    if (lastReport !== null && isComplete)
      control?.send({ ...lastReport, blocksDone: received.length, backlogBytes: 0, needs: [] })
  }

  const fetcher: Fetcher = createFetcher({
    ask: (block) => control?.send({ kind: 'fetch', block }),
    next: (from) => nextToFetch(from),
  })

  /** While multicast doesn't arrive: a block that is lacking, whose hash is known, and that there is room for. */
  const nextToFetch = (from: number): number | null => {
    if (membership === null || !isDeaf() || serverState === 'waiting' || isComplete) return null
    const { session, receiver } = membership
    for (let step = 0; step < received.length; step++) {
      const block = (from + step) % received.length
      if (received[block] === 1 || session.hashOf(block) === null) continue
      return receiver.isWanted(block) ? block : null
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
        serverState = output.position.state
        if (serverState !== 'waiting') waiting = null
        at.receiver.position(output.position, now())
        break
      case 'waiting':
        waiting = output.waiting
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
    settle()
  }

  /** Take part: with the receiver there is, if it is the same session, or with a new one that goes on where that was. */
  const takePart = async ({ session, control: at }: EnteredSession): Promise<Membership> => {
    const before = membership
    const where = chooseInterface(data.interface, at.localAddress)
    const isSame =
      before !== null &&
      isEqual(before.session.facts.sessionId, session.facts.sessionId) &&
      before.interface.address === where.address
    if (isSame) {
      // The cable may have been out, the switch restarted.
      before.group.rejoin()
      before.session = session
      before.receiver.position(session.position, now())
      before.receiver.hashesCame(now())
      return before
    }
    await before?.group.close()
    strip ??= createPassStrip(session.layout)
    const made = await openMembership({
      session,
      interface: where,
      // Only of the same cut is a pass the same.
      strip: session.facts.symbolBytes === facts.symbolBytes ? strip : createPassStrip(session.layout),
      holdBytes: data.holdBytes,
      blocks: () => ({
        have: received.map((value, block) => (value === 1 && !handed.has(block) ? 1 : 0)),
        handed: [...handed],
      }),
      onDatagram(receiver, nowMs) {
        if (receiver !== membership?.receiver) return
        if (receiver.wakeMs <= nowMs) settle()
        else if (receiver.wakeMs < armedMs) arm(receiver)
      },
      onError: (error) => log('warn', 'the multicast socket failed', { error: String(error) }),
    })
    const { group, port, name } = session.facts
    log('info', 'joined', { session: name, group, port, interface: where.name })
    const { advice, askedBytes, grantedBytes } = made.group
    if (advice !== null)
      log('warn', 'the receive buffer is smaller than it should be', { askedBytes, grantedBytes, advice })
    if (isOver || isComplete) {
      await made.group.close()
      throw over
    }
    armedMs = Infinity
    membership = made
    isSilent = false
    return made
  }

  const hold = (at: ControlSocket) => {
    control = at
    connectedMs = now()
    connected.resolve()
    connected = Promise.withResolvers()
  }

  const beSeen = async ({ control: at, link }: EnteredSession): Promise<never> => {
    hold(at)
    remind()
    for (;;)
      for (const output of link.message(await at.next()))
        if (output.kind === 'ended') throw endError(output.end, at.peer)
  }

  /** One connection, from the greeting to its end. Throws what ended it. */
  const connection = async (): Promise<never> => {
    const { locator, password, clientId } = data
    const entered = await enterSession({ locator, purpose: 'join', password, clientId, signal: stop.signal })
    const at = entered.control
    try {
      if (!isSameStream(facts, entered.session.facts)) throw changedError(at.peer)
      // Whoever has everything only wants to be seen, and to take leave.
      if (isComplete) return await beSeen(entered)
      const member = await takePart(entered)
      serverState = entered.session.position.state
      waiting = null
      hold(at)
      fetcher.connected()
      settle()
      for (;;) for (const output of entered.link.message(await at.next())) onOutput(output, member, at.peer)
    } finally {
      control = null
      fetcher.disconnected()
      at.destroy()
    }
  }

  /** An interface that was there may have lost its address with its cable. */
  const isInterfaceAway = (error: unknown) =>
    membership !== null && error instanceof NetworkError && error.code === 'E_MC_IFACE'

  const run = async () => {
    const isToGoOn = () => !stop.signal.aborted && (isComplete || !isOver)
    for (let tries = 0; isToGoOn(); tries++) {
      const beganMs = now()
      try {
        await connection()
      } catch (error) {
        if (stop.signal.aborted || isLeaving) return
        if (error === over) continue
        // A connection that stood for a while makes the next one worth trying soon.
        if (now() - beganMs > 10_000) tries = 0
        if (isComplete && error instanceof NetworkError && error.code === 'E_MC_ENDED') return
        if (!isPassing(error) && !isInterfaceAway(error)) return fail(error)
        log(tries === 0 ? 'warn' : 'info', 'no connection to the server; trying again', {
          why: (error as Error).message,
        })
        await pause(retryMs[Math.min(tries, retryMs.length - 1)] ?? 0, stop.signal)
      }
    }
  }

  const warn = (warning: NetworkError) => tell({ kind: 'warning', warning: serializeError(warning) })

  const warnOfSilence = ({ interface: { name } }: Membership) => {
    isWarned = true
    const { group, port } = facts
    log('warn', 'multicast does not reach this computer; fetching over the control connection', {
      group,
      port,
      interface: name,
      likely: silenceCauses,
    })
    warn(silenceWarning(facts, name))
  }

  const lookAtDrops = async (at: Membership) => {
    const dropped = await at.group.readDropped()
    if (dropped === null || dropped <= at.dropped || membership !== at) return
    at.receiver.systemDropped(dropped - at.dropped)
    const { grantedBytes, advice } = at.group
    if (at.dropped === 0) log('warn', 'the system throws datagrams away', { dropped, grantedBytes, advice })
    warn(dropWarning(facts, at.group, dropped))
    at.dropped = dropped
  }

  const stateNow = (): StreamProgress['state'] => {
    if (control === null || (isSilent && !isServerThere())) return 'connecting'
    if (waiting !== null) return 'waiting'
    return isDeaf() && !isComplete ? 'fetching' : 'receiving'
  }

  const tellProgress = () => {
    const at = membership
    const progress = at?.receiver.progress()
    const { bytesPerSecond, loss } = meter.sample(
      now(),
      progress ?? { received: 0, expected: 0 },
      at?.session.facts.symbolBytes ?? 0,
    )
    tell({
      kind: 'progress',
      progress: {
        state: stateNow(),
        waiting: waiting && {
          joined: waiting.joined,
          wanted: waiting.wanted === 0 ? null : waiting.wanted,
          startsInMs: waiting.startsInMs === startsByHand ? null : waiting.startsInMs,
        },
        passes: progress?.passes ?? [],
        blocks: received.length,
        missingBlocks: received.reduce((sum, value) => sum + (1 - value), 0),
        receivedBytesPerSecond: bytesPerSecond,
        loss,
      },
    })
    if (progress !== undefined) lastPayloadMs = Math.max(lastPayloadMs, progress.lastSymbolMs)
  }

  const checkTimeout = () => {
    const silentMs = now() - lastPayloadMs
    if (timeoutMs === 0 || silentMs < timeoutMs || received.every((value) => value === 1)) return
    fail(timeoutError(data.locator, timeoutMs, control === null ? 'gone' : isDeaf() ? 'unheard' : 'idle'))
  }

  let ticks = 0
  const watch = setInterval(() => {
    ticks += 1
    tellProgress()
    if (isOver) return
    if (isComplete) {
      if (now() - remindedMs >= remindMs) remind()
      return
    }
    checkTimeout()
    if (membership !== null && ticks % 4 === 0) void lookAtDrops(membership)
    if (membership === null || !isDeaf()) return
    if (!isWarned) warnOfSilence(membership)
    if (now() - rejoinedMs >= rejoinMs) {
      rejoinedMs = now()
      membership.group.rejoin()
    }
    fetcher.turn()
    settle()
  }, watchMs)

  const running = run().catch(fail)

  return {
    written(block) {
      if (!handed.delete(block)) return
      membership?.receiver.written(block, now())
      settle()
      fetcher.turn()
    },
    again(block) {
      if (!handed.delete(block)) return
      received[block] = 0
      membership?.receiver.again(block, now())
      settle()
    },
    verifying: remind,
    halt: () => void halt(),
    async finish(outcome, text) {
      await halt()
      // The server may be away for a moment, and waits for this word.
      if (outcome === 'done' && control === null)
        await Promise.race([running, pause(leaveMs, stop.signal), connected.promise])
      // The server hangs up as well, which is nothing to complain of or to come back for.
      isLeaving = true
      control?.send({ kind: 'finished', outcome, text })
      await control?.end()
      stop.abort()
      await running
    },
  }
}
