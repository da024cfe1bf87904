/** Told of a file that a server gives only as a whole: somebody waits for it, and may not want it at all. */
export interface FetchWatch {
  /** Before anything of it is kept; null: the server doesn't say how long it is. What it throws is why it isn't fetched. */
  begin(sizeBytes: number | null): void
  /** As it comes. */
  advance(doneBytes: number, sizeBytes: number | null): void
  /** Here, or not coming. */
  end(): void
}
