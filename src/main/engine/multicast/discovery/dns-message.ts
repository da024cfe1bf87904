/**
 * DNS messages as multicast DNS has them (RFC 1035 §4, RFC 6762 §18): names as lists of labels, because a label may hold a
 * dot ("Lab 10.6"), which the libraries at hand take for the end of it. Reads what comes from the network: bounded,
 * a pointer only leads backwards.
 */
import { FormatError } from '#shared/errors'

export type DnsName = readonly string[]

export const recordTypes = { a: 1, ptr: 12, txt: 16, srv: 33, any: 255 } as const

export interface DnsQuestion {
  readonly name: DnsName
  readonly type: number
}

export type DnsData =
  | { readonly kind: 'a'; readonly address: string }
  | { readonly kind: 'ptr'; readonly target: DnsName }
  | { readonly kind: 'txt'; readonly strings: readonly Uint8Array[] }
  | { readonly kind: 'srv'; readonly port: number; readonly target: DnsName }
  /** Of a type that we don't read. */
  | { readonly kind: 'other'; readonly type: number }

export interface DnsRecord {
  readonly name: DnsName
  /** No other record of this name and type is true: RFC 6762 §10.2. */
  readonly isUnique: boolean
  readonly ttlSeconds: number
  readonly data: DnsData
}

export interface DnsMessage {
  readonly id: number
  readonly isResponse: boolean
  readonly questions: readonly DnsQuestion[]
  readonly answers: readonly DnsRecord[]
  /** Of a probe: what it wants to own. */
  readonly authorities: readonly DnsRecord[]
  readonly additionals: readonly DnsRecord[]
}

/** Flags of an authoritative response: QR and AA. */
const responseFlags = 0x8400
const internet = 1
const uniqueBit = 0x8000
const mostRecords = 512
const mostLabels = 64
/** Of a message without questions and records. */
export const headerBytes = 12

export const typeOf = ({ data }: DnsRecord): number =>
  data.kind === 'other' ? data.type : recordTypes[data.kind]

/** Names are the same whatever their letters' case, in ASCII (RFC 6762 §16). */
export const nameKey = (name: DnsName): string =>
  JSON.stringify(name.map((label) => label.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())))

export function encodeDns(message: DnsMessage): Uint8Array {
  const { id, isResponse, questions, answers, authorities, additionals } = message
  const counts = [questions.length, answers.length, authorities.length, additionals.length]
  return Uint8Array.from(
    Buffer.concat([
      u16(id),
      u16(isResponse ? responseFlags : 0),
      ...counts.map(u16),
      ...questions.map(({ name, type }) => Buffer.concat([encodeName(name), u16(type), u16(internet)])),
      ...[...answers, ...authorities, ...additionals].map(encodeRecord),
    ]),
  )
}

/** How long it is in a message of ours, which never shortens names. */
export const recordBytes = (record: DnsRecord): number => encodeRecord(record).length

function encodeRecord(record: DnsRecord): Buffer {
  const data = encodeData(record.data)
  const ttl = Buffer.alloc(4)
  ttl.writeUInt32BE(record.ttlSeconds)
  return Buffer.concat([
    encodeName(record.name),
    u16(typeOf(record)),
    u16(internet | (record.isUnique ? uniqueBit : 0)),
    ttl,
    u16(data.length),
    data,
  ])
}

/** A record's data as bytes: what RFC 6762 §8.2 compares, too. */
export function encodeData(data: DnsData): Buffer {
  switch (data.kind) {
    case 'a':
      return Buffer.from(data.address.split('.').map(Number))
    case 'ptr':
      return encodeName(data.target)
    case 'txt':
      // "a TXT record with no strings" is not permitted: an empty string stands for it (RFC 6763 §6.1).
      return Buffer.concat(
        (data.strings.length === 0 ? [new Uint8Array()] : data.strings).map((string) =>
          Buffer.concat([Buffer.of(string.length), string]),
        ),
      )
    case 'srv':
      // Priority and weight: 0, there is only one.
      return Buffer.concat([u16(0), u16(0), u16(data.port), encodeName(data.target)])
    default:
      return Buffer.alloc(0)
  }
}

function encodeName(name: DnsName): Buffer {
  const labels = name.map((label) => {
    const bytes = Buffer.from(label, 'utf8')
    return Buffer.concat([Buffer.of(bytes.length), bytes])
  })
  return Buffer.concat([...labels, Buffer.of(0)])
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

/** Throws `FormatError` for what isn't a message, or holds more than any of ours could need. */
export function decodeDns(bytes: Uint8Array): DnsMessage {
  const reader = new DnsReader(bytes)
  const id = reader.u16()
  const flags = reader.u16()
  const [questions, ...records] = [reader.u16(), reader.u16(), reader.u16(), reader.u16()]
  if (questions + records.reduce((sum, count) => sum + count, 0) > mostRecords)
    throw reader.refuse('counts', 'too many records')
  const asked = Array.from({ length: questions }, () => {
    const name = reader.name()
    const type = reader.u16()
    reader.u16()
    return { name, type }
  })
  const [answers = [], authorities = [], additionals = []] = records.map((count) =>
    Array.from({ length: count }, () => reader.record()),
  )
  return { id, isResponse: (flags & 0x8000) !== 0, questions: asked, answers, authorities, additionals }
}

class DnsReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  refuse(field: string, why: string): FormatError {
    return new FormatError('E_SRC_FORMAT', `not a DNS message: ${why}`, {
      details: { format: 'dns', field, offset: this.#at },
    })
  }

  u16(): number {
    return this.#take(2).readUInt16BE()
  }

  name(): DnsName {
    const labels: string[] = []
    const at = this.#readLabels(this.#at, labels)
    this.#at = at
    return labels
  }

  record(): DnsRecord {
    const name = this.name()
    const type = this.u16()
    const kind = this.u16()
    const ttlSeconds = this.#take(4).readUInt32BE()
    const lengthBytes = this.u16()
    const end = this.#at + lengthBytes
    if (end > this.#bytes.length) throw this.refuse('length', 'a record that is cut')
    const data = this.#data(type, end)
    this.#at = end
    return { name, isUnique: (kind & uniqueBit) !== 0, ttlSeconds, data }
  }

  #data(type: number, end: number): DnsData {
    const lengthBytes = end - this.#at
    switch (type) {
      case recordTypes.a:
        if (lengthBytes !== 4) throw this.refuse('address', `an address of ${lengthBytes} bytes`)
        return { kind: 'a', address: [...this.#take(4)].join('.') }
      case recordTypes.ptr:
        return { kind: 'ptr', target: this.name() }
      case recordTypes.txt: {
        const strings: Uint8Array[] = []
        while (this.#at < end) {
          const [length = 0] = this.#take(1)
          if (this.#at + length > end) throw this.refuse('text', 'a string that is cut')
          strings.push(Uint8Array.from(this.#take(length)))
        }
        return { kind: 'txt', strings }
      }
      case recordTypes.srv: {
        this.#take(4)
        const port = this.u16()
        return { kind: 'srv', port, target: this.name() }
      }
      default:
        return { kind: 'other', type }
    }
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw this.refuse('length', 'it is cut')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  /** From `start`; returns where the name ends there. A pointer only leads to before where it was met, so this ends. */
  #readLabels(start: number, labels: string[]): number {
    let at = start
    for (;;) {
      const length = this.#bytes[at]
      if (length === undefined) throw this.refuse('name', 'it is cut')
      if (length === 0) return at + 1
      if (length >= 0xc0) {
        const low = this.#bytes[at + 1]
        if (low === undefined) throw this.refuse('name', 'it is cut')
        const target = ((length & 0x3f) << 8) | low
        if (target >= start || target < headerBytes) throw this.refuse('name', 'a pointer that leads nowhere')
        this.#readLabels(target, labels)
        return at + 2
      }
      if (length > 63) throw this.refuse('name', 'a label that is none')
      if (at + 1 + length > this.#bytes.length) throw this.refuse('name', 'it is cut')
      labels.push(this.#bytes.toString('utf8', at + 1, at + 1 + length))
      if (labels.length > mostLabels) throw this.refuse('name', 'too many labels')
      at += 1 + length
    }
  }
}
