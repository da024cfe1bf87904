/** Told why opening an image on a server takes long. */
export interface FetchWatch {
  /** The server isn't there at the moment, and is asked again; at each try. `trouble`: what it said, or the network. */
  waits(trouble: unknown): void
  /**
   * It gives the file only as a whole, and somebody may not want it at all. Before anything of it is kept. `path` is its address without
   * name and password; `sizeBytes` null: the server doesn't say how long it is. What it throws is why it isn't fetched.
   */
  begin(path: string, sizeBytes: number | null): FetchProgress
}

export interface FetchProgress {
  /** As it comes. */
  advance(doneBytes: number): void
  /** Here, or not coming. */
  end(): void
}
