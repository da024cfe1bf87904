/**
 * What a UDIF file lists about itself: resources, each with a four-letter type. `blkx` ones are the tables of runs and
 * are read as they come; the few others we know are kept, for they are small; the rest (licence texts and the like) is
 * passed over. The XML plist and the old resource fork both end up here.
 */
import { corrupt } from '#engine/formats/struct'
import { blockHashesHeaderBytes } from './block-hashes.ts'
import type { ExtentBuilder } from './extent-builder.ts'
import { TableReader, type Table } from './table-reader.ts'

/** What a scan for restore leaves behind, and nothing else of interest: how many bytes of each. */
const keptTypes: ReadonlyMap<string, number> = new Map([
  ['cSum', Infinity],
  ['nsiz', Infinity],
  ['size', Infinity],
  // Megabytes of hashes for a large disk: they are read when they are used.
  ['rpbh', blockHashesHeaderBytes],
])
const maxKeptBytes = 1024 * 1024
const maxKept = 4096
const maxTables = 65_536

export interface Resource {
  readonly type: string
  readonly id: number
  /** Of `rpbh` only the head. */
  readonly data: Uint8Array
  /** Of all its data. */
  readonly lengthBytes: number
}

export interface NamedTable extends Table {
  readonly id: number
  readonly name: string
}

/** What is known of a resource before its data. */
export interface ResourcePlace {
  readonly type: string
  /** Bytes of the file: where its data begins. */
  readonly fileOffset: number
  /** Bytes that its data can have at most. */
  readonly atMostBytes: number
}

/** Takes resources one after the other: `begin`, any number of `push`, `end`. */
export interface ResourceSink {
  begin(place: ResourcePlace): void
  /** Valid until the call returns. */
  push(bytes: Uint8Array): void
  /** The resource is complete; only now its name and id are known. */
  end(about: { readonly id: number; readonly name: string }): void
}

export class ResourceCollector implements ResourceSink {
  readonly tables: NamedTable[] = []
  readonly resources: Resource[] = []
  readonly #builder: ExtentBuilder
  readonly #streamBytes: number
  #place: ResourcePlace | null = null
  #table: TableReader | null = null
  #kept: Uint8Array[] | null = null
  #keptBytes = 0
  #lengthBytes = 0

  constructor(builder: ExtentBuilder, streamBytes: number) {
    this.#builder = builder
    this.#streamBytes = streamBytes
  }

  begin(place: ResourcePlace): void {
    this.#place = place
    this.#table = null
    this.#lengthBytes = 0
    this.#kept = null
    if (place.type === 'blkx') {
      const index = this.tables.length
      if (index === maxTables)
        throw corrupt({
          format: 'udif',
          field: 'blkx',
          offset: place.fileOffset,
          found: 'more tables',
          expected: `at most ${maxTables}`,
        })
      this.#table = new TableReader({ ...place, index, streamBytes: this.#streamBytes }, this.#builder)
    } else if (keptTypes.has(place.type) && this.resources.length < maxKept) this.#kept = []
  }

  push(bytes: Uint8Array): void {
    this.#table?.push(bytes)
    if (this.#kept === null) return
    const wanted = keptTypes.get(this.#place?.type ?? '') ?? 0
    const kept = bytes.slice(0, Math.max(0, wanted - this.#lengthBytes))
    this.#lengthBytes += bytes.length
    this.#keptBytes += kept.length
    // Scan information is a few hundred bytes. What is larger is something else under its name, and isn't needed.
    if (this.#keptBytes > maxKeptBytes) this.#kept = null
    else if (kept.length > 0) this.#kept.push(kept)
  }

  end(about: { readonly id: number; readonly name: string }): void {
    if (this.#table !== null) this.tables.push({ ...this.#table.end(), id: about.id, name: about.name })
    if (this.#kept !== null && this.#place !== null)
      this.resources.push({
        type: this.#place.type,
        id: about.id,
        data: Buffer.concat(this.#kept),
        lengthBytes: this.#lengthBytes,
      })
    this.#table = null
    this.#kept = null
  }
}
