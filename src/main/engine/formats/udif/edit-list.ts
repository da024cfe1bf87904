/**
 * The list of resources of a UDIF image with some of them replaced, as a stream of text. What isn't replaced is copied byte for
 * byte. The list of a large image has 100 MB, so it is never held: it is read twice, once to find the places and once to write.
 */
import type { BlockSource } from '#engine/block-io'
import { corrupt } from '#engine/formats/struct'
import { kolyBytes, kolyStruct, type Koly } from './koly.ts'
import { chunkRunStruct, mishStruct } from './mish.ts'
import { PlistReader } from './plist-reader.ts'
import { PlistSpanFinder, type PlistSpans, type Span } from './plist-spans.ts'
import { readResources } from './read-udif.ts'
import type { ResourceSink } from './resources.ts'
import { base64, resourceEntries, resourcePlist, type ResourceToWrite } from './write-resources.ts'

/** A table's bytes as they are stored, to be changed in place. */
export interface TablePatch {
  /** The mish: 204 bytes. */
  header(bytes: DataView): void
  /** One run behind it: 40 bytes. */
  run(bytes: DataView): void
}

export interface ListEdit {
  /** Types whose resources are dropped. */
  readonly remove: ReadonlySet<string>
  readonly add: readonly ResourceToWrite[]
  /** For each table, in the order of the list; null leaves them all as they are. */
  readonly patchTable: ((index: number) => TablePatch) | null
}

/** Where the text of a list is read from. Offsets count from its start. */
interface ListText {
  readonly lengthBytes: number
  read(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void>
}

/** A list that is known inside, ready to be written anew. */
export interface EditableList {
  /** Number of tables that a patch will be asked for. */
  readonly tableCount: number
  /** The text of the list after the edit. May be asked for again. Throws what reading throws. */
  edited(edit: ListEdit, signal?: AbortSignal): AsyncGenerator<Uint8Array, undefined>
}

const pieceBytes = 256 * 1024
/** Old images have only a resource fork: what it lists is a few kilobytes, and becomes a plist here, in memory. */
const maxForkBytes = 64 * 1024 * 1024

/**
 * Find the way about the list of the image in `source`. `remove` as in the edit to come. Throws `FormatError` E_SRC_CORRUPT;
 * what `source` throws; the signal's reason.
 */
export async function openEditableList(
  source: BlockSource,
  koly: Koly,
  remove: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<EditableList> {
  const text = koly.xmlLength > 0 ? storedText(source, koly) : await textOfFork(source, koly, signal)
  const finder = new PlistSpanFinder(remove)
  const reader = new PlistReader(finder, 0, { format: 'udif', field: 'plist' })
  finder.follow(reader)
  for await (const piece of pieces(text, { from: 0, to: text.lengthBytes }, signal)) reader.push(piece)
  reader.end()
  const spans = finder.spans()
  return {
    tableCount: spans.tables.length,
    edited: (edit, editSignal) => editedText(text, spans, edit, editSignal),
  }
}

const storedText = (source: BlockSource, { xmlOffset, xmlLength }: Koly): ListText => ({
  lengthBytes: xmlLength,
  read: (into, offset, signal) => source.read(into, xmlOffset + offset, signal),
})

async function textOfFork(source: BlockSource, koly: Koly, signal?: AbortSignal): Promise<ListText> {
  if (koly.rsrcForkLength > maxForkBytes)
    throw corrupt({
      format: 'udif',
      field: 'koly.rsrcForkLength',
      offset: source.sizeBytes - kolyBytes + kolyStruct.offsetOf('rsrcForkLength'),
      found: koly.rsrcForkLength,
      expected: `at most ${maxForkBytes}`,
    })
  const gathered = new Gathered()
  await readResources(source, koly, gathered, signal)
  const text = Buffer.from([...resourcePlist(gathered.resources)].join(''))
  return {
    lengthBytes: text.length,
    async read(into, offset) {
      into.set(text.subarray(offset, offset + into.length))
    },
  }
}

class Gathered implements ResourceSink {
  readonly resources: ResourceToWrite[] = []
  #type = ''
  #data: Uint8Array[] = []

  begin({ type }: { readonly type: string }): void {
    this.#type = type
    this.#data = []
  }

  push(bytes: Uint8Array): void {
    this.#data.push(bytes.slice())
  }

  end({ id, name }: { readonly id: number; readonly name: string }): void {
    this.resources.push({ type: this.#type, id, name, data: this.#data })
  }
}

async function* pieces(
  text: ListText,
  { from, to }: Span,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  for (let offset = from; offset < to; offset += pieceBytes) {
    const piece = new Uint8Array(Math.min(pieceBytes, to - offset))
    await text.read(piece, offset, signal)
    yield piece
  }
  return undefined
}

async function* editedText(
  text: ListText,
  spans: PlistSpans,
  { add, patchTable }: ListEdit,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  type Change = Span & { readonly write: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array> }
  const changes: Change[] = [
    ...spans.removed.map((span) => ({ ...span, write: () => [] })),
    { from: spans.insertAt, to: spans.insertAt, write: () => addedText(add) },
    ...(patchTable === null
      ? []
      : spans.tables.map((span, index) => ({
          ...span,
          write: () => patchedTable(pieces(text, span, signal), patchTable(index)),
        }))),
  ].toSorted((a, b) => a.from - b.from || a.to - b.to)
  let at = 0
  for (const { from, to, write } of changes) {
    yield* pieces(text, { from: at, to: from }, signal)
    yield* write()
    at = to
  }
  yield* pieces(text, { from: at, to: text.lengthBytes }, signal)
  return undefined
}

/** On lines of their own: what is before ends without a line end. */
function* addedText(resources: readonly ResourceToWrite[]): Generator<Uint8Array> {
  let held = '\n'
  for (const line of resourceEntries(resources)) {
    yield Buffer.from(held)
    held = line
  }
  // The line end that follows is there already.
  yield Buffer.from(held.replace(/\n$/, ''))
}

async function* patchedTable(
  text: AsyncIterable<Uint8Array>,
  patch: TablePatch,
): AsyncGenerator<Uint8Array, undefined> {
  yield Buffer.from('\n')
  let rest = Buffer.alloc(0)
  let digits = ''
  let isHeaderDone = false
  let unwritten = Buffer.alloc(0)
  for await (const piece of text) {
    digits += Buffer.from(piece)
      .toString('latin1')
      .replaceAll(/[^A-Za-z0-9+/=]/g, '')
    const whole = digits.length - (digits.length % 4)
    rest = Buffer.concat([rest, Buffer.from(digits.slice(0, whole), 'base64')])
    digits = digits.slice(whole)
    let at = 0
    for (;;) {
      const unit = isHeaderDone ? chunkRunStruct.sizeBytes : mishStruct.sizeBytes
      if (rest.length - at < unit) break
      const view = new DataView(rest.buffer, rest.byteOffset + at, unit)
      if (isHeaderDone) patch.run(view)
      else patch.header(view)
      isHeaderDone = true
      at += unit
    }
    unwritten = Buffer.concat([unwritten, rest.subarray(0, at)])
    rest = Buffer.from(rest.subarray(at))
    // Whole lines only.
    const ready = unwritten.length - (unwritten.length % lineBytes)
    for (const lines of base64([unwritten.subarray(0, ready)])) yield Buffer.from(lines)
    unwritten = unwritten.subarray(ready)
  }
  for (const lines of base64([unwritten, rest])) yield Buffer.from(lines)
  yield Buffer.from('\t\t\t\t')
  return undefined
}

/** 52 characters of base64. */
const lineBytes = 39
