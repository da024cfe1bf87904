/** The files that hold an image's stored data, opened once for all workers, or left to them where there are too many. */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { openFailure } from '#engine/block-io'
import type { StoredPart } from '#engine/formats/extents'
import { isWebLocator } from '#shared/model'
import type { OpenPart } from './stored-reader.ts'
import type { WebParts } from './web-parts.ts'

/** More files than this are opened as they are read: see `part-files.ts`. A process may open 1,024, or 256. */
const mostOpen = 32

/** Parts with descriptors; close after the last reader has gone. */
export class OpenParts implements AsyncDisposable {
  readonly parts: readonly OpenPart[]
  readonly #handles: readonly FileHandle[]
  readonly #web: WebParts | null

  constructor(parts: readonly OpenPart[], handles: readonly FileHandle[], web: WebParts | null) {
    this.parts = parts
    this.#handles = handles
    this.#web = web
  }

  /** Readers that wait for a server are let go. */
  stop(): void {
    this.#web?.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What was only read isn't wrong because its file system is away when it is closed.
    await Promise.allSettled(this.#handles.map((handle) => handle.close()))
    await this.#web?.[Symbol.asyncDispose]()
  }
}

/**
 * Open each file of `parts` for reading, through the page cache: its read-ahead keeps a disk busier than two threads with
 * O_DIRECT do, and a verify finds a small image still there. Files in `alreadyOpen` are taken as they are and not closed.
 * Files on servers are `web`'s, and closed with the rest. Throws DeviceError.
 */
export async function openParts(
  parts: readonly StoredPart[],
  alreadyOpen: ReadonlyMap<string, number>,
  web: WebParts | null = null,
): Promise<OpenParts> {
  const fds = new Map(alreadyOpen)
  const handles: FileHandle[] = []
  const isMany = parts.length > mostOpen && new Set(parts.map(({ path }) => path)).size > mostOpen
  try {
    for (const { path } of isMany ? [] : parts) {
      if (fds.has(path) || isWebLocator(path)) continue
      // O_NONBLOCK: a pipe that took the file's place must not keep us waiting.
      const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
      handles.push(handle)
      fds.set(path, handle.fd)
    }
    const sorted = parts.toSorted((a, b) => a.streamOffset - b.streamOffset)
    return new OpenParts(
      sorted.map((part) => ({ ...part, fd: fds.get(part.path) ?? null, ...web?.byPath.get(part.path) })),
      handles,
      web,
    )
  } catch (error) {
    await Promise.allSettled(handles.map((handle) => handle.close()))
    await web?.[Symbol.asyncDispose]()
    throw openFailure(error, pathOf(error) ?? parts[0]?.path ?? '', 'source')
  }
}

const pathOf = (error: unknown) =>
  error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : null
