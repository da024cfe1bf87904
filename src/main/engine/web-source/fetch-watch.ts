/** Told why opening an image on a server takes long. */
export interface FetchWatch {
  /** The server isn't there at the moment, and is asked again; at each try. `trouble`: what it said, or the network. */
  waits(trouble: unknown): void
  /** It gives the file only as a whole, and somebody may not want it at all. Before anything of it is kept; null: the server doesn't say how long it is. What it throws is why it isn't fetched. */
  begin(sizeBytes: number | null): void
  /** As it comes. */
  advance(doneBytes: number, sizeBytes: number | null): void
  /** Here, or not coming. */
  end(): void
}
