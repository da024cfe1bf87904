/** The list of an APFS container's volumes in an `nsiz` plist: { "Volume names and UUIDs": [ { name, uuid } ] }. */
import type { ScannedPartition } from '#shared/model'
import { PlistReader, type PlistEvents, type PlistText } from './plist-reader.ts'

type Volume = ScannedPartition['volumes'][number]

const listKey = 'Volume names and UUIDs'
/** A container can't have more. */
const mostVolumes = 100

/** Throws `FormatError` E_SRC_CORRUPT when it isn't a plist. */
export function parseNsizVolumes(bytes: Uint8Array): Volume[] {
  const events = new VolumeEvents()
  const reader = new PlistReader(events, 0, { format: 'udif', field: 'nsiz' })
  reader.push(bytes)
  reader.end()
  return events.volumes
}

class VolumeEvents implements PlistEvents {
  readonly volumes: Volume[] = []
  /** Keys and arrays on the way to where we are. */
  #depth = 0
  #listDepth = 0
  #key = ''
  #name = ''
  #uuid = ''

  beginDict(): void {
    this.#depth++
    this.#name = ''
    this.#uuid = ''
  }

  endDict(): void {
    const isVolume = this.#listDepth > 0 && this.#depth === this.#listDepth + 1
    if (isVolume && this.volumes.length < mostVolumes)
      this.volumes.push({ name: this.#name, uuid: this.#uuid })
    this.#depth--
  }

  beginArray(): void {
    this.#depth++
    if (this.#depth === 2 && this.#key === listKey) this.#listDepth = this.#depth
  }

  endArray(): void {
    if (this.#depth === this.#listDepth) this.#listDepth = 0
    this.#depth--
  }

  key(text: string): void {
    this.#key = text
  }

  text(kind: PlistText, text: string): void {
    if (kind !== 'string' || this.#listDepth === 0 || this.#depth !== this.#listDepth + 1) return
    const clean = text.replaceAll(/\p{Cc}/gu, '').slice(0, 256)
    if (this.#key === 'name') this.#name = clean
    else if (this.#key === 'uuid') this.#uuid = clean
  }

  beginData(): void {}
  data(): void {}
  endData(): void {}
}
