/**
 * Where the parts of a UDIF plist lie in its text, so that some of them can be replaced and all the others stay byte for
 * byte as their writer left them: licences, unknown keys, the layout. Events of the plist reader in, spans out.
 */
import { corrupt } from '#engine/formats/struct'
import type { PlistEvents, PlistReader } from './plist-reader.ts'

/** Bytes of the text, `to` exclusive; counted as the reader counts. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface PlistSpans {
  /** The entries of the types that were asked for, key and white space included. */
  readonly removed: readonly Span[]
  /** Where entries may be added: behind the last one. */
  readonly insertAt: number
  /** The text of each blkx table's data, in order. */
  readonly tables: readonly Span[]
}

const level = { root: 1, fork: 2, type: 3, entry: 4 } as const

export class PlistSpanFinder implements PlistEvents {
  readonly #types: ReadonlySet<string>
  #reader: Pick<PlistReader, 'tagOffset' | 'tagEnd'> | null = null
  readonly #removed: Span[] = []
  readonly #tables: Span[] = []
  #insertAt: number | null = null
  #level = 0
  #passing = 0
  #key = ''
  #type = ''
  #field = ''
  /** Where the entry before ended: what lies between belongs to the next one. */
  #entryEnd = 0
  #dataFrom = 0
  #hasFork = false

  /** `types`: those whose entries are to go. */
  constructor(types: ReadonlySet<string>) {
    this.#types = types
  }

  /** The reader that these events come from, before the first of them. */
  follow(reader: Pick<PlistReader, 'tagOffset' | 'tagEnd'>): void {
    this.#reader = reader
  }

  /** After the last event. Throws `FormatError` when there is no resource fork in the plist. */
  spans(): PlistSpans {
    if (this.#insertAt === null)
      throw corrupt({ format: 'udif', field: 'plist', offset: 0, expected: 'a resource-fork' })
    return { removed: this.#removed, insertAt: this.#insertAt, tables: this.#tables }
  }

  beginDict(): void {
    if (this.#passing > 0) this.#passing++
    else if (this.#level === 0) this.#level = level.root
    else if (this.#level === level.root && this.#key === 'resource-fork' && !this.#hasFork) {
      this.#level = level.fork
      this.#hasFork = true
      this.#entryEnd = this.#tagEnd
    } else if (this.#level === level.type) this.#level = level.entry
    else this.#passing = 1
  }

  endDict(): void {
    if (this.#passing > 0) {
      this.#endPassed()
      return
    }
    if (this.#level === level.fork) this.#insertAt = this.#entryEnd
    this.#level--
  }

  beginArray(): void {
    if (this.#passing === 0 && this.#level === level.fork) {
      this.#level = level.type
      this.#type = this.#key
    } else this.#passing++
  }

  endArray(): void {
    if (this.#passing > 0) {
      this.#endPassed()
      return
    }
    this.#level--
    this.#endEntry()
  }

  key(text: string): void {
    if (this.#passing > 0) return
    if (this.#level === level.entry) this.#field = text
    else this.#key = text
  }

  text(): void {
    if (this.#passing === 0 && this.#level === level.fork) this.#endEntry()
  }

  beginData(fileOffset: number): void {
    this.#dataFrom = fileOffset
  }

  data(): void {}

  endData(): void {
    if (this.#passing > 0) return
    if (this.#level === level.fork) this.#endEntry()
    if (this.#level !== level.entry || this.#type !== 'blkx' || this.#field !== 'Data') return
    this.#tables.push({ from: this.#dataFrom, to: this.#reader?.tagOffset ?? 0 })
  }

  #endPassed(): void {
    this.#passing--
    if (this.#passing === 0 && this.#level === level.fork) this.#endEntry()
  }

  /** A value of the fork's dict is complete. */
  #endEntry(): void {
    const to = this.#tagEnd
    if (this.#types.has(this.#key)) this.#removed.push({ from: this.#entryEnd, to })
    this.#entryEnd = to
  }

  get #tagEnd(): number {
    return this.#reader?.tagEnd ?? 0
  }
}
