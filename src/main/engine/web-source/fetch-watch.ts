import type { WebClient } from './web-client.ts'

/** Told why a file on a server takes long. */
export interface FetchWatch {
  /**
   * The server isn't there for some seconds already, and is asked again. `path` is the file's address without name and password; `during`: nothing
   * is known of it yet, or it is open and being read, over one or several connections, each of which says so.
   */
  waits(path: string, during: 'opening' | 'reading'): FetchWait
  /**
   * It gives the file only as a whole, and somebody may not want it at all. Before anything of it is kept. `path` as above;
   * `sizeBytes` null: the server doesn't say how long it is. What it throws is why it isn't fetched.
   */
  begin(path: string, sizeBytes: number | null): FetchProgress
}

export interface FetchWait {
  /** At once, and before each further try. `trouble`: what the server said the last time, or the network. */
  again(trouble: unknown): void
  /** It answers, or isn't asked any more. */
  end(): void
}

export interface FetchProgress {
  /** As it comes. */
  advance(doneBytes: number): void
  /** Here, or not coming. */
  end(): void
}

/** Until it is disposed, `watch` is told of what `client` fetches, and nobody else is. */
export function watchFetches(client: Pick<WebClient, 'fetchWatch'>, watch: FetchWatch): Disposable {
  client.fetchWatch = watch
  return {
    [Symbol.dispose]: () => {
      client.fetchWatch = null
    },
  }
}

/** One who waits, as it is told to the client's watch. */
export class Waiting {
  readonly #begin: () => FetchWait | null
  #told: FetchWait | null = null

  constructor(client: Pick<WebClient, 'fetchWatch'>, path: string, during: 'opening' | 'reading') {
    this.#begin = () => client.fetchWatch?.waits(path, during) ?? null
  }

  /** There will be another try. `trouble` null: it isn't worth a word yet. */
  again(trouble: unknown): void {
    if (trouble === null) return
    this.#told ??= this.#begin()
    this.#told?.again(trouble)
  }

  /** Something came, or nobody waits any more; may be said again and again. */
  end(): void {
    this.#told?.end()
    this.#told = null
  }
}
