/** The one opener of what an image is stored in, wherever that lies: a file here, a file on a web server. */
import { openFileSource, type BlockSource } from '#engine/block-io'
import { openWebSource, type WebClient } from '#engine/web-source'
import { DeviceError } from '#shared/errors'
import { isWebLocator, publicLocator } from '#shared/model'

export interface StoredSource extends BlockSource {
  /**
   * Of a file on a server: one line that is the same for the same state of it. Layouts carry it on (`StoredPart.version`),
   * so that what is read later is known to be what was looked at. Null for a file here.
   */
  readonly version: string | null
  /** In ms since 1970; null when only the file system would tell, or nobody. */
  readonly modifiedMs: number | null
  /** Of a file on a server that is away: what keeps reading waiting, for some seconds already. */
  readonly trouble?: unknown
}

export interface OpenStoredOptions {
  readonly signal?: AbortSignal
  /** For `http://` and `https://`. Default: the process's. */
  readonly web?: WebClient
  /** See `OpenWebOptions`. */
  readonly again?: boolean
  readonly stamp?: string
  readonly look?: boolean
}

/** Open `locator` for reading. Throws what `openFileSource` throws for a path, what `openWebSource` throws for an address. */
export async function openStored(locator: string, options: OpenStoredOptions = {}): Promise<StoredSource> {
  if (!isWebLocator(locator)) {
    const file = await openFileSource(locator)
    return {
      path: file.path,
      sizeBytes: file.sizeBytes,
      version: null,
      modifiedMs: null,
      read: (into, offset, signal) => file.read(into, offset, signal),
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    }
  }
  const { signal, web, again = false, stamp, look = false } = options
  return await openWebSource(locator, {
    again,
    look,
    ...(stamp === undefined ? {} : { stamp }),
    ...(signal === undefined ? {} : { signal }),
    ...(web === undefined ? {} : { client: web }),
  })
}

/**
 * Open what a layout speaks of again. Throws DeviceError E_SRC_CHANGED when a file on a server isn't in the state it was in, what
 * `openStored` throws.
 */
export async function openStoredAgain(
  { path, stamp }: { readonly path: string; readonly stamp?: string },
  options: OpenStoredOptions = {},
): Promise<StoredSource> {
  const source = await openStored(path, {
    ...options,
    again: true,
    ...(stamp === undefined ? {} : { stamp }),
  })
  if (source.version === null || stamp === undefined || source.version === stamp) return source
  await source[Symbol.asyncDispose]()
  const shown = publicLocator(path)
  throw new DeviceError('E_SRC_CHANGED', `${shown} isn't what it was when the image was opened`, {
    details: { path: shown, expected: stamp, found: source.version },
  })
}
