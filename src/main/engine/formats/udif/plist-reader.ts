/**
 * Reads an XML property list that arrives in blocks, and tells what it meets as events. It exists because the plist of
 * a large image doesn't fit in memory (107 MB for two million runs, nearly all of it base64 in one `<data>`), and
 * because a plist is the easiest place to hide a bomb in: depth, entries, text and tags are bounded here, a DOCTYPE
 * with declarations and all but the five predefined and numeric entities are refused, and `<data>` is handed on
 * decoded, never kept.
 *
 * It reads what plists are written in: UTF-8, no namespaces, no CDATA. XML 1.0, plist DTD 1.0.
 */
import { corrupt } from '#engine/formats/struct'

export type PlistText = 'string' | 'integer' | 'real' | 'date' | 'true' | 'false'

/** Called in document order. `data` may come any number of times between `beginData` and `endData`. */
export interface PlistEvents {
  beginDict(): void
  endDict(): void
  beginArray(): void
  endArray(): void
  key(text: string): void
  /** `true` and `false` have no text. */
  text(kind: PlistText, text: string): void
  /** `fileOffset`: where the text of the element begins. */
  beginData(fileOffset: number): void
  /** Valid until the call returns. */
  data(bytes: Uint8Array): void
  endData(): void
}

const limits = { depth: 32, elements: 1_000_000, textBytes: 256 * 1024, tagBytes: 1024 }

const code = (text: string) => text.charCodeAt(0)
const LESS = code('<')
const GREATER = code('>')
const EQUALS = code('=')
const QUOTE = code('"')
const APOSTROPHE = code("'")
const DASH = code('-')

/** Base64 digits; 64: white space; 65: padding; 66: anything else. */
const digits = new Uint8Array(256).fill(66)
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
for (let value = 0; value < alphabet.length; value++) digits[alphabet.charCodeAt(value)] = value
for (const char of ' \t\r\n') digits[code(char)] = 64
digits[EQUALS] = 65

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x09 || byte === 0x0d

const entities: { readonly [name: string]: string } = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const leaves = new Set(['key', 'string', 'integer', 'real', 'date', 'data', 'true', 'false'])
const containers = new Set(['plist', 'dict', 'array'])

type Mode = 'text' | 'tag' | 'comment' | 'data'

export class PlistReader {
  readonly #events: PlistEvents
  readonly #what: { readonly format: string; readonly field: string }
  #mode: Mode = 'text'
  /** File offset of the block being read, and the place in it. */
  #base: number
  #at = 0
  readonly #stack: string[] = []
  /** The leaf whose text is being read. */
  #leaf: string | null = null
  #elements = 0
  /** In a dict: whether a key came and its value is due. */
  #keyed = false
  #rootValues = 0
  #closed = false
  readonly #tag = new Uint8Array(limits.tagBytes)
  #tagBytes = 0
  #quote = 0
  #dashes = 0
  #text = new Uint8Array(1024)
  #textBytes = 0
  #out = new Uint8Array(0)
  #group = 0
  #groupDigits = 0
  #padding = 0
  #tagOffset = 0

  /** `fileOffset`: where the plist begins; `what` names it in messages. */
  constructor(
    events: PlistEvents,
    fileOffset: number,
    what: { readonly format: string; readonly field: string },
  ) {
    this.#events = events
    this.#base = fileOffset
    this.#what = what
  }

  /** Where the tag begins that an event is about (the closing one, where there are two), for whoever edits the text. */
  get tagOffset(): number {
    return this.#tagOffset
  }

  /** Where that tag ends: the offset of the byte behind it. */
  get tagEnd(): number {
    return this.#base + this.#at + 1
  }

  /** The next bytes. Throws `FormatError` E_SRC_CORRUPT. */
  push(bytes: Uint8Array): void {
    this.#at = 0
    while (this.#at < bytes.length) {
      if (this.#mode === 'data') this.#readData(bytes)
      else if (this.#mode === 'text') this.#readText(bytes)
      else if (this.#mode === 'tag') this.#readTag(bytes)
      else this.#readComment(bytes)
    }
    this.#base += bytes.length
    this.#at = 0
  }

  /** Nothing follows. Throws `FormatError` when the document isn't complete. */
  end(): void {
    if (!this.#closed) throw this.#problem('the end of the file', '</plist>')
  }

  #problem(found: string, expected: string) {
    return corrupt({ ...this.#what, offset: this.#base + this.#at, found: found.slice(0, 100), expected })
  }

  #readText(bytes: Uint8Array): void {
    const start = this.#at
    let end = bytes.indexOf(LESS, start)
    if (end === -1) end = bytes.length
    const piece = bytes.subarray(start, end)
    if (this.#leaf === null) this.#expectSpace(piece)
    else this.#gatherText(piece)
    this.#at = end
    if (end === bytes.length) return
    this.#tagOffset = this.#base + end
    this.#at++
    this.#mode = 'tag'
    this.#tagBytes = 0
    this.#quote = 0
  }

  #expectSpace(piece: Uint8Array): void {
    // A byte order mark may open the document.
    const bom =
      this.#stack.length === 0 && !this.#closed && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf
    for (let index = bom ? 3 : 0; index < piece.length; index++) {
      const byte = piece[index] as number
      // Some writers count a trailing NUL into the plist.
      if (isSpace(byte) || (this.#closed && byte === 0)) continue
      this.#at += index
      throw this.#problem(Buffer.from(piece.subarray(index, index + 16)).toString('latin1'), 'an element')
    }
  }

  #gatherText(piece: Uint8Array): void {
    const length = this.#textBytes + piece.length
    if (length > limits.textBytes)
      throw this.#problem(`${length} bytes of text`, `at most ${limits.textBytes}`)
    if (length > this.#text.length) {
      const larger = new Uint8Array(Math.min(limits.textBytes, length * 2))
      larger.set(this.#text.subarray(0, this.#textBytes))
      this.#text = larger
    }
    this.#text.set(piece, this.#textBytes)
    this.#textBytes = length
  }

  #readTag(bytes: Uint8Array): void {
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at] as number
      if (this.#quote !== 0) {
        if (byte === this.#quote) this.#quote = 0
      } else if (byte === GREATER) {
        this.#mode = 'text'
        this.#handleTag(Buffer.from(this.#tag.subarray(0, this.#tagBytes)).toString('latin1'))
        this.#at++
        return
      } else if (byte === QUOTE || byte === APOSTROPHE) this.#quote = byte
      else if (byte === LESS) throw this.#problem('<', '>')
      if (this.#tagBytes === limits.tagBytes)
        throw this.#problem('a longer tag', `at most ${limits.tagBytes} bytes`)
      this.#tag[this.#tagBytes++] = byte
      if (this.#tagBytes === 3 && this.#tag[0] === code('!') && this.#tag[1] === DASH && byte === DASH) {
        this.#mode = 'comment'
        this.#dashes = 0
        this.#at++
        return
      }
    }
  }

  #readComment(bytes: Uint8Array): void {
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at] as number
      if (byte === GREATER && this.#dashes >= 2) {
        this.#mode = this.#leaf === 'data' ? 'data' : 'text'
        this.#at++
        return
      }
      this.#dashes = byte === DASH ? this.#dashes + 1 : 0
    }
  }

  #handleTag(tag: string): void {
    if (tag.startsWith('?')) return this.#handleDeclaration(tag)
    if (tag.startsWith('!')) return this.#handleDoctype(tag)
    const match = /^(\/?)([A-Za-z][\w.-]*)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)$/.exec(tag)
    const [, closing = '', name = '', empty = ''] = match ?? []
    if (match === null || (closing !== '' && empty !== '')) throw this.#problem(`<${tag}>`, 'a plist element')
    if (closing !== '') return this.#close(name)
    this.#open(name)
    if (empty !== '') this.#close(name)
  }

  #handleDeclaration(tag: string): void {
    if (!tag.endsWith('?') || this.#leaf !== null) throw this.#problem(`<${tag}>`, 'an element')
    const encoding = /^\?xml\s.*\bencoding\s*=\s*["']([^"']*)["']/.exec(tag)?.[1]
    if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding))
      throw this.#problem(encoding, 'UTF-8')
  }

  #handleDoctype(tag: string): void {
    // An internal subset could declare entities that expand to gigabytes.
    if (!/^!DOCTYPE\s+plist\b[^[\]]*$/.test(tag) || this.#stack.length > 0 || this.#closed)
      throw this.#problem(`<${tag}>`, 'no declarations')
  }

  #open(name: string): void {
    const parent = this.#stack.at(-1)
    if (this.#closed || this.#leaf !== null) throw this.#problem(`<${name}>`, 'no element here')
    if (
      parent === undefined
        ? name !== 'plist'
        : name === 'plist' || !(containers.has(name) || leaves.has(name))
    )
      throw this.#problem(`<${name}>`, parent === undefined ? '<plist>' : 'a plist element')
    if (++this.#elements > limits.elements) throw this.#problem('more elements', `at most ${limits.elements}`)
    if (parent === 'plist' && ++this.#rootValues > 1) throw this.#problem(`<${name}>`, '</plist>')
    if (parent === 'dict') {
      if ((name === 'key') === this.#keyed)
        throw this.#problem(`<${name}>`, this.#keyed ? 'a value' : '<key>')
      this.#keyed = name === 'key'
    } else if (name === 'key') throw this.#problem('<key>', 'a value')

    if (containers.has(name)) {
      if (this.#stack.length === limits.depth)
        throw this.#problem('a deeper element', `at most ${limits.depth} levels`)
      this.#stack.push(name)
      this.#keyed = false
      if (name === 'dict') this.#events.beginDict()
      else if (name === 'array') this.#events.beginArray()
      return
    }
    this.#leaf = name
    this.#textBytes = 0
    if (name !== 'data') return
    this.#mode = 'data'
    this.#group = 0
    this.#groupDigits = 0
    this.#padding = 0
    this.#events.beginData(this.#base + this.#at + 1)
  }

  #close(name: string): void {
    const open = this.#leaf ?? this.#stack.at(-1)
    if (open !== name) throw this.#problem(`</${name}>`, open === undefined ? 'an element' : `</${open}>`)
    if (this.#leaf !== null) {
      this.#leaf = null
      this.#mode = 'text'
      if (name === 'data') return this.#endData()
      const text = this.#decodeText()
      if (name === 'key') this.#events.key(text)
      else if ((name === 'true' || name === 'false') && text.trim() !== '')
        throw this.#problem(text, `</${name}>`)
      else this.#events.text(name as PlistText, text)
      return
    }
    if (this.#keyed) throw this.#problem(`</${name}>`, 'a value')
    this.#stack.pop()
    if (name === 'dict') this.#events.endDict()
    else if (name === 'array') this.#events.endArray()
    else if (this.#rootValues === 0) throw this.#problem('</plist>', 'a value')
    else this.#closed = true
  }

  #decodeText(): string {
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(this.#text.subarray(0, this.#textBytes))
    } catch {
      throw this.#problem('bytes that are not UTF-8', 'UTF-8')
    }
    if (!text.includes('&')) return text
    return text.replaceAll(/&([^;&]{0,10});?/g, (whole, name: string) => {
      const plain = entities[name]
      if (plain !== undefined && whole.endsWith(';')) return plain
      const number = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name)
      const point =
        number === null ? NaN : number[1] === undefined ? Number(number[2]) : parseInt(number[1], 16)
      if (!whole.endsWith(';') || !(point > 0 && point <= 0x10ffff))
        throw this.#problem(whole, 'a known entity')
      return String.fromCodePoint(point)
    })
  }

  /** Base64 up to the next tag. The inner loop takes four digits at a time: it sees most of the bytes of a plist. */
  #readData(bytes: Uint8Array): void {
    const room = Math.ceil(((bytes.length - this.#at) * 3) / 4) + 3
    if (this.#out.length < room) this.#out = new Uint8Array(room)
    const out = this.#out
    let at = this.#at
    let length = 0
    let byte = 0
    while (at < bytes.length) {
      if (this.#groupDigits === 0 && this.#padding === 0)
        while (at + 4 <= bytes.length) {
          const a = digits[bytes[at] as number] as number
          const b = digits[bytes[at + 1] as number] as number
          const c = digits[bytes[at + 2] as number] as number
          const d = digits[bytes[at + 3] as number] as number
          if ((a | b | c | d) > 63) break
          out[length] = (a << 2) | (b >> 4)
          out[length + 1] = (b << 4) | (c >> 2)
          out[length + 2] = (c << 6) | d
          length += 3
          at += 4
        }
      if (at === bytes.length) break
      byte = bytes[at] as number
      const digit = digits[byte] as number
      if (digit === 64) at++
      else if (digit < 64 && this.#padding === 0) {
        this.#group = (this.#group << 6) | digit
        if (++this.#groupDigits === 4) {
          out[length++] = this.#group >> 16
          out[length++] = this.#group >> 8
          out[length++] = this.#group
          this.#group = 0
          this.#groupDigits = 0
        }
        at++
      } else if (digit === 65 && this.#groupDigits + this.#padding < 4 && this.#groupDigits >= 2) {
        this.#padding++
        at++
      } else break
    }
    this.#at = at
    if (length > 0) this.#events.data(out.subarray(0, length))
    if (at === bytes.length) return
    if (byte !== LESS) throw this.#problem(String.fromCharCode(byte), 'base64')
    this.#tagOffset = this.#base + at
    this.#at++
    this.#mode = 'tag'
    this.#tagBytes = 0
    this.#quote = 0
  }

  #endData(): void {
    if (this.#groupDigits > 0) {
      if (this.#groupDigits + this.#padding !== 4) throw this.#problem('</data>', 'base64 in groups of four')
      const bits = this.#group << (this.#padding * 6)
      this.#events.data(new Uint8Array([bits >> 16, bits >> 8]).subarray(0, 3 - this.#padding))
    }
    this.#events.endData()
  }
}
