/**
 * A multicast stream without a network: the blocks of a file, or of bytes, in an order that a seed makes. It keeps the deal of a
 * real client: each block once, never more than `holdBytes` of them that nobody has written, again when it was asked for.
 */
import { createHash } from 'node:crypto'
import type {
  ConnectStream,
  ReceiveOptions,
  StreamConnection,
  StreamReception,
} from '#engine/stream-connection'
import { rootOfBlocks } from '#engine/formats/udif'
import { BugError, NetworkError, type SerializedError } from '#shared/errors'
import type { StreamProgress } from '#shared/model'
import { seededRandom, type SeededRandom } from '#test/seeded'

export interface FakeStream {
  readonly bytes: Uint8Array
  readonly blockBytes: number
  readonly imageName: string
  /** `raw`, or the image's. */
  readonly imageFormat: string
  readonly seed: number
  /** `shuffled`: any order. `late`: from the middle round to the middle, with holes that come at the end. */
  readonly order: 'ascending' | 'shuffled' | 'late'
  /** Called before each block is handed out, with their number so far; may wait, abort, or throw what the client fails with. */
  readonly onTurn?: (handedOut: number) => void | Promise<void>
  /** The session's. */
  readonly password?: string
  /** It waits for its start until this resolves. */
  readonly started?: Promise<void>
}

export interface FakeStreamServer {
  readonly connect: ConnectStream
  /** What clients said: `join`, `have 12`, `written 3`, `again 3`, `verifying`, `done`, `failed E_IO_WRITE`, … */
  readonly told: string[]
  /** Blocks that were asked for over the control connection. */
  readonly fetched: number[]
}

export function fakeStreamServer(stream: FakeStream): FakeStreamServer {
  const { bytes, blockBytes, password } = stream
  const blocks = Math.ceil(bytes.length / blockBytes)
  const blockAt = (block: number) => bytes.slice(block * blockBytes, (block + 1) * blockBytes)
  const hashes = Array.from({ length: blocks }, (_, block) =>
    createHash('sha256').update(blockAt(block)).digest(),
  )
  const root = Buffer.from(
    rootOfBlocks({ blockBytes, hashes: Buffer.concat(hashes) }, { diskBytes: bytes.length }),
    'hex',
  )
  const told: string[] = []
  const fetched: number[] = []
  const tell = (text: string) => void told.push(text)
  return {
    told,
    fetched,
    async connect(_locator, options) {
      options.signal.throwIfAborted()
      if (password !== undefined && options.password !== password)
        throw new NetworkError('E_MC_PASSWORD', 'wrong password', {
          details: { address: 'fake', phase: 'control' },
        })
      const connection: StreamConnection = {
        info: {
          session: 'lab',
          imageName: stream.imageName,
          imageFormat: stream.imageFormat,
          streamBytes: bytes.length,
          fingerprint: 'f'.repeat(64),
          pinned: false,
        },
        sizeBytes: bytes.length,
        blockBytes,
        blocks,
        root,
        hashOf: (block) => hashes[block] ?? null,
        async fetchBlock(block, signal) {
          signal?.throwIfAborted()
          fetched.push(block)
          return blockAt(block)
        },
        receive: (how) => receive(stream, { blocks, blockAt }, how, tell),
        [Symbol.asyncDispose]: async () => undefined,
      }
      return connection
    },
  }
}

interface Blocks {
  readonly blocks: number
  readonly blockAt: (block: number) => Uint8Array
}

function receive(
  stream: FakeStream,
  { blocks, blockAt }: Blocks,
  { have, holdBytes, onBlock, signal }: ReceiveOptions,
  tell: (text: string) => void,
): StreamReception {
  const random = seededRandom(stream.seed)
  const missing = new Set(
    orderOf(stream.order, blocks, random).filter((block) => have === null || have[block] !== 1),
  )
  const held = new Map<number, number>()
  const complete = Promise.withResolvers<void>()
  complete.promise.catch(() => undefined)
  let heldBytes = 0
  let handedOut = 0
  let state: StreamProgress['state'] = 'waiting'
  let wake: () => void = () => undefined
  const give = (block: number) => {
    const length = held.get(block)
    if (length === undefined)
      throw new BugError('E_BUG', `block ${block} was given back twice`, { details: {} })
    held.delete(block)
    heldBytes -= length
    wake()
  }
  tell('join')
  if (have !== null) tell(`have ${have.reduce((sum, each) => sum + each, 0)}`)

  async function run(): Promise<void> {
    await stream.started
    state = 'receiving'
    while (missing.size > 0 || held.size > 0) {
      signal.throwIfAborted()
      const [next] = missing
      const bytes = next === undefined ? null : blockAt(next)
      if (next === undefined || bytes === null || (heldBytes + bytes.length > holdBytes && held.size > 0)) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      await stream.onTurn?.(handedOut)
      signal.throwIfAborted()
      missing.delete(next)
      held.set(next, bytes.length)
      heldBytes += bytes.length
      handedOut += 1
      onBlock(next, bytes)
      // As messages of a thread come: each in a turn of its own.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const stop = () => {
    complete.reject(signal.reason)
    wake()
  }
  signal.addEventListener('abort', stop, { once: true })
  run().then(complete.resolve, complete.reject)

  return {
    written(block) {
      give(block)
      tell(`written ${block}`)
    },
    again(block) {
      give(block)
      missing.add(block)
      tell(`again ${block}`)
      wake()
    },
    progress: () => ({
      state,
      waiting: state === 'waiting' ? { joined: 3, wanted: 5, startsInMs: null } : null,
      passes: [],
      passStart: 0,
      blocks,
      missingBlocks: missing.size,
      receivedBytesPerSecond: 0,
      loss: 0,
      standing: 'well',
      silence: null,
    }),
    warnings: (): readonly SerializedError[] => [],
    complete: complete.promise,
    verifying: () => tell('verifying'),
    async finish(outcome, text) {
      tell(text === '' ? outcome : `${outcome} ${text}`)
    },
  }
}

function orderOf(order: FakeStream['order'], blocks: number, random: SeededRandom): number[] {
  const ascending = Array.from({ length: blocks }, (_, block) => block)
  if (order === 'ascending') return ascending
  if (order === 'shuffled')
    return ascending
      .map((block) => ({ block, place: random.fraction() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ block }) => block)
  const middle = random.below(Math.max(1, blocks))
  const walked = [...ascending.slice(middle), ...ascending.slice(0, middle)]
  const holes = new Set(walked.filter(() => random.chance(0.1)))
  return [...walked.filter((block) => !holes.has(block)), ...holes]
}
