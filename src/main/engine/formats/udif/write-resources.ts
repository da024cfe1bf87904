/**
 * The plist of a UDIF image, as text in pieces: a table may have a million runs, and its base64 isn't held in memory. Laid
 * out as Apple's tools do: tabs, base64 in lines of 52.
 */

export interface ResourceToWrite {
  readonly type: string
  readonly id: number
  /** Default `0x0050`, as tables have it; what a scan stores has none. */
  readonly attributes?: '0x0000' | '0x0050'
  readonly name: string
  /** The resource's data, in pieces of any size. */
  readonly data: Iterable<Uint8Array>
}

/** 52 characters of base64. */
const lineBytes = 39

/** The whole plist. Resources of a type come one after another. */
export function* resourcePlist(resources: readonly ResourceToWrite[]): Generator<string> {
  yield '<?xml version="1.0" encoding="UTF-8"?>\n'
  yield '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n'
  yield '<plist version="1.0">\n<dict>\n\t<key>resource-fork</key>\n\t<dict>\n'
  yield* resourceEntries(resources)
  yield '\t</dict>\n</dict>\n</plist>\n'
}

/** What stands within the dict of the resource fork, whole lines. */
export function* resourceEntries(resources: readonly ResourceToWrite[]): Generator<string> {
  for (const type of new Set(resources.map((resource) => resource.type))) {
    yield `\t\t<key>${escape(type)}</key>\n\t\t<array>\n`
    for (const resource of resources) if (resource.type === type) yield* entry(resource)
    yield '\t\t</array>\n'
  }
}

function* entry({ type, id, name, data, attributes = '0x0050' }: ResourceToWrite): Generator<string> {
  const text = (key: string, value: string) =>
    `\t\t\t\t<key>${key}</key>\n\t\t\t\t<string>${escape(value)}</string>\n`
  yield `\t\t\t<dict>\n${text('Attributes', attributes)}`
  if (type === 'blkx') yield text('CFName', name)
  yield '\t\t\t\t<key>Data</key>\n\t\t\t\t<data>\n'
  yield* base64(data)
  yield `\t\t\t\t</data>\n${text('ID', String(id))}${text('Name', name)}\t\t\t</dict>\n`
}

/** Lines of base64, indented as in an entry. */
export function* base64(pieces: Iterable<Uint8Array>): Generator<string> {
  const lines = (bytes: Buffer) => bytes.toString('base64').replaceAll(/.{1,52}/g, '\t\t\t\t$&\n')
  let rest = Buffer.alloc(0)
  for (const piece of pieces) {
    const bytes = Buffer.concat([rest, piece])
    const whole = bytes.length - (bytes.length % lineBytes)
    if (whole > 0) yield lines(bytes.subarray(0, whole))
    rest = bytes.subarray(whole)
  }
  if (rest.length > 0) yield lines(rest)
}

/** A partition may be called anything; XML has no control characters and no halves of characters. */
export function escape(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}
