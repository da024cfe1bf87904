/** The files of an image that are on servers, opened for a stream: a window that is being filled, or what came as a whole. */
import { openWebSource, type WebClient, type WebSource } from '#engine/web-source'
import { isWebLocator, publicLocator } from '#shared/model'
import { DeviceError, NetworkError } from '#shared/errors'
import { formatBytes } from '#shared/units'
import type { FetchPlan, FirstChunk } from './fetch-plan.ts'
import { WebFetcher, type FetchedFile } from './web-fetcher.ts'
import { allocateWindow, copyBytes, type WindowFile } from './web-window.ts'

const leastChunkBytes = 512 * 1024
/** Tables have an entry for each, and their size is what the server says: that of larger files are larger. */
const mostChunks = 2 ** 22
/** Of all files together: as large as ext4 has one. */
const mostStoredBytes = 2 ** 44
/** 32 MiB of the least: what is under way, and as much again for the readers. */
const mostSlots = 64

export interface WebOptions {
  readonly client?: WebClient | undefined
  readonly signal: AbortSignal
}

/** What the parts of an open image say of a file: a descriptor, or a window in its place. */
export interface WebPart {
  readonly fd: number
  readonly web?: WindowFile
  /** See `OpenPart`. */
  readonly fetch?: (into: Uint8Array, offset: number) => Promise<void>
}

export class WebParts implements AsyncDisposable {
  readonly byPath: ReadonlyMap<string, WebPart>
  readonly #sources: readonly WebSource[]
  readonly #fetcher: WebFetcher | null
  readonly #stop: AbortController

  constructor(
    byPath: ReadonlyMap<string, WebPart>,
    sources: readonly WebSource[],
    fetcher: WebFetcher | null,
    stop: AbortController,
  ) {
    this.#stop = stop
    this.byPath = byPath
    this.#sources = sources
    this.#fetcher = fetcher
  }

  /** Readers that wait are let go: nothing more comes. */
  stop(): void {
    this.#fetcher?.stop()
    this.#stop.abort(new Error('nothing more is needed'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    await this.#fetcher?.stopped()
    for (const source of this.#sources) await source[Symbol.asyncDispose]()
  }
}

type PlanOf = (chunks: {
  readonly count: number
  readonly chunkBytes: number
  readonly firstChunk: FirstChunk
}) => FetchPlan

interface Place {
  readonly path: string
  readonly stamp?: string
}

/**
 * Open what is on servers among `places`, and begin to fetch it by the plan that `planOf` makes; without one, it is fetched where
 * and when it is read, by this thread. Null when nothing is there. Throws
 * DeviceError E_SRC_CHANGED for a file that isn't in the state of its `stamp`, and what `openWebSource` throws.
 */
export async function openWebParts(
  places: readonly Place[],
  planOf: PlanOf | null,
  { client, signal }: WebOptions,
): Promise<WebParts | null> {
  const stamps = new Map(
    places.filter(({ path }) => isWebLocator(path)).map(({ path, stamp }) => [path, stamp]),
  )
  if (stamps.size === 0) return null
  const sources: WebSource[] = []
  try {
    for (const [path, stamp] of stamps) {
      const source = await openWebSource(path, {
        signal,
        ...(stamp === undefined ? {} : { again: true, stamp }),
        ...(client === undefined ? {} : { client }),
      })
      sources.push(source)
      if (stamp !== undefined && stamp !== source.version) throw changed(path, stamp, source.version)
    }
    return planOf === null ? fetchWhenRead(sources) : startFetching(sources, planOf)
  } catch (error) {
    for (const source of sources) await source[Symbol.asyncDispose]()
    throw error
  }
}

function startFetching(sources: readonly WebSource[], planOf: PlanOf): WebParts {
  const chunkBytes = chunkBytesFor(sources)
  const fetched: (FetchedFile & { readonly path: string })[] = []
  let count = 0
  for (const source of sources) {
    if (source.fd !== null) continue
    fetched.push({ source, firstChunk: count, path: source.path })
    count += Math.ceil(source.sizeBytes / chunkBytes)
  }
  const firstChunk = (path: string) => fetched.find((file) => file.path === path)?.firstChunk ?? null
  const window = allocateWindow(count, Math.min(mostSlots, count), chunkBytes)
  const fetcher =
    count === 0 ? null : new WebFetcher(window, fetched, planOf({ count, chunkBytes, firstChunk }))
  fetcher?.start()
  const byPath = new Map<string, WebPart>()
  for (const { path, fd, sizeBytes } of sources)
    byPath.set(
      path,
      fd === null ? { fd: -1, web: { window, firstChunk: firstChunk(path) ?? 0, sizeBytes } } : { fd },
    )
  return new WebParts(byPath, sources, fetcher, new AbortController())
}

/** Throws NetworkError E_NET_ANSWER for more than anybody stores in a file. */
function chunkBytesFor(sources: readonly WebSource[]): number {
  const storedBytes = sources.reduce((total, { sizeBytes }) => total + sizeBytes, 0)
  if (storedBytes > mostStoredBytes) throw tooLarge(sources[0]?.finalUrl ?? '', storedBytes)
  let chunkBytes = leastChunkBytes
  while (storedBytes > mostChunks * chunkBytes) chunkBytes *= 2
  return chunkBytes
}

function fetchWhenRead(sources: readonly WebSource[]): WebParts {
  const stop = new AbortController()
  const byPath = new Map<string, WebPart>()
  for (const source of sources) {
    const fetch = (into: Uint8Array, offset: number) =>
      source.stream(
        offset,
        offset + into.length,
        (bytes, at) => {
          // What was received in its place is there.
          if (bytes.buffer !== into.buffer) copyBytes(bytes, into, at - offset)
        },
        { signal: stop.signal, room: (at) => into.subarray(at - offset) },
      )
    byPath.set(source.path, source.fd === null ? { fd: -1, fetch } : { fd: source.fd })
  }
  return new WebParts(byPath, sources, null, stop)
}

function changed(path: string, expected: string, found: string): DeviceError {
  const shown = publicLocator(path)
  return new DeviceError('E_SRC_CHANGED', `${shown} isn't what it was when the image was opened`, {
    details: { path: shown, expected, found },
  })
}

const tooLarge = (address: string, found: number) =>
  new NetworkError('E_NET_ANSWER', `${address} would be ${formatBytes(found)}`, {
    details: {
      address,
      host: new URL(address).host,
      phase: 'answer',
      field: 'size',
      found,
      expected: `at most ${mostStoredBytes}`,
    },
  })
