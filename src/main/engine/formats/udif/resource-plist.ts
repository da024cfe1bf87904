/**
 * The shape of the UDIF plist: { resource-fork: { type: [ { Attributes, CFName, Data, ID, Name } ] } }. Turns the plist
 * reader's events into resources; everything else in the plist is passed over.
 */
import { corrupt } from '#engine/formats/struct'
import type { PlistEvents, PlistText } from './plist-reader.ts'
import type { ResourceSink } from './resources.ts'

/** Containers around what is read: plist > dict > resource-fork dict > array of a type > entry. */
const level = { root: 1, fork: 2, type: 3, entry: 4 } as const

const maxNameLength = 1024

export class ResourcePlist implements PlistEvents {
  readonly #collector: ResourceSink
  readonly #endOffset: number
  /** Open containers on the path that is read, and those opened inside something passed over. */
  #level = 0
  #passing = 0
  #key = ''
  #type = ''
  #field = ''
  #name = ''
  #cfName = ''
  #id = 0
  #hasData = false
  #inData = false

  /** `endOffset`: where the plist ends in the file; no data can be longer than what is left. */
  constructor(collector: ResourceSink, endOffset: number) {
    this.#collector = collector
    this.#endOffset = endOffset
  }

  beginDict(): void {
    if (this.#passing > 0) this.#passing++
    else if (this.#level === 0) this.#level = level.root
    else if (this.#level === level.root && this.#key === 'resource-fork') this.#level = level.fork
    else if (this.#level === level.type) {
      this.#level = level.entry
      this.#name = ''
      this.#cfName = ''
      this.#id = 0
      this.#hasData = false
    } else this.#passing = 1
  }

  endDict(): void {
    if (this.#passing > 0) this.#passing--
    else {
      if (this.#level === level.entry && this.#hasData)
        this.#collector.end({ id: this.#id, name: this.#cfName === '' ? this.#name : this.#cfName })
      this.#level--
    }
  }

  beginArray(): void {
    if (this.#passing === 0 && this.#level === level.fork) {
      this.#level = level.type
      this.#type = this.#key
    } else this.#passing++
  }

  endArray(): void {
    if (this.#passing > 0) this.#passing--
    else this.#level--
  }

  key(text: string): void {
    if (this.#passing > 0) return
    if (this.#level === level.entry) this.#field = text
    else this.#key = text
  }

  text(_kind: PlistText, text: string): void {
    if (this.#passing > 0 || this.#level !== level.entry) return
    if (this.#field === 'Name') this.#name = text.slice(0, maxNameLength)
    else if (this.#field === 'CFName') this.#cfName = text.slice(0, maxNameLength)
    else if (this.#field === 'ID') this.#id = /^-?\d{1,9}$/.test(text) ? Number(text) : 0
  }

  beginData(fileOffset: number): void {
    if (this.#passing > 0 || this.#level !== level.entry || this.#field !== 'Data') return
    if (this.#hasData)
      throw corrupt({
        format: 'udif',
        field: 'plist',
        offset: fileOffset,
        found: 'Data twice',
        expected: 'once',
      })
    this.#hasData = true
    this.#inData = true
    const atMostBytes = Math.ceil((this.#endOffset - fileOffset) / 4) * 3
    this.#collector.begin({ type: this.#type, fileOffset, atMostBytes })
  }

  data(bytes: Uint8Array): void {
    if (this.#inData) this.#collector.push(bytes)
  }

  endData(): void {
    this.#inData = false
  }
}
