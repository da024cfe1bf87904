/**
 * What a UDIF file lists about itself: resources, each with a four-letter type. `blkx` ones are the tables of runs and
 * are read as they come; the few others we know are kept, for they are small; the rest (licence texts and the like) is
 * passed over. The XML plist and the old resource fork both end up here.
 */
import { corrupt } from '#engine/formats/struct'
import type { ExtentBuilder } from './extent-builder.ts'
import { TableReader, type Table } from './table-reader.ts'

/** What a scan for restore leaves behind, and nothing else of interest. */
const keptTypes = new Set(['cSum', 'nsiz', 'size'])
const maxKeptBytes = 1024 * 1024
const maxKept = 4096
const maxTables = 65_536

export interface Resource {
  readonly type: string
  readonly id: number
  readonly data: Uint8Array
}

export interface NamedTable extends Table {
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
export class ResourceCollector {
  readonly tables: NamedTable[] = []
  readonly resources: Resource[] = []
  readonly #builder: ExtentBuilder
  readonly #streamBytes: number
  #place: ResourcePlace | null = null
  #table: TableReader | null = null
  #kept: Uint8Array[] | null = null
  #keptBytes = 0

  constructor(builder: ExtentBuilder, streamBytes: number) {
    this.#builder = builder
    this.#streamBytes = streamBytes
  }

  begin(place: ResourcePlace): void {
    this.#place = place
    this.#table = null
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
    this.#keptBytes += bytes.length
    // Scan information is a few hundred bytes. What is larger is something else under its name, and isn't needed.
    if (this.#keptBytes > maxKeptBytes) this.#kept = null
    else this.#kept.push(bytes.slice())
  }

  /** The resource is complete; only now its name and id are known. */
  end(about: { readonly id: number; readonly name: string }): void {
    if (this.#table !== null) this.tables.push({ ...this.#table.end(), name: about.name })
    if (this.#kept !== null && this.#place !== null)
      this.resources.push({ type: this.#place.type, id: about.id, data: Buffer.concat(this.#kept) })
    this.#table = null
    this.#kept = null
  }
}
