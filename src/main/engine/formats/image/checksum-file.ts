/** The file beside an image that has no place for a checksum of its own: `disk.img.sha256`, in the form of sha256sum(1). */
import { basename } from 'node:path'
import { openFileSource } from '#engine/block-io'
import { DeviceError, FormatError, UsageError } from '#shared/errors'

export const checksumPath = (path: string): string => `${path}.sha256`

/** A list of many files may be longer; one that belongs to an image isn't. */
const mostBytes = 64 * 1024

/** What is written into it. A name that would break the line is escaped, and a backslash at the beginning says so. */
export function checksumLine(path: string, sha256: string): string {
  const name = basename(path)
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  return `${escaped === name ? '' : '\\'}${sha256}  ${escaped}\n`
}

/** A line of sha256sum, with `--tag` or without, or a digest alone. */
function parseLine(text: string): { readonly sha256: string; readonly name: string | null } | null {
  const isEscaped = text.startsWith('\\')
  const line = isEscaped ? text.slice(1) : text.trim()
  const plain = /^(?<sha256>[0-9a-f]{64})(?:\s+\*?(?<name>.*))?$/i.exec(line)?.groups
  const found = plain ?? /^SHA256 \((?<name>.*)\) = (?<sha256>[0-9a-f]{64})$/i.exec(line)?.groups
  if (found?.['sha256'] === undefined) return null
  const { sha256, name } = found
  const letters: Record<string, string> = { n: '\n', r: '\r', '\\': '\\' }
  const unescaped = isEscaped
    ? name?.replace(/\\(.)/g, (_, letter: string) => letters[letter] ?? letter)
    : name
  return { sha256: sha256.toLowerCase(), name: unescaped ?? null }
}

/**
 * The digest of the image at `path` that stands beside it; null when nothing does. Throws UsageError E_UNSUPPORTED for a file that
 * names none; what reading throws.
 */
export async function readChecksumFile(path: string): Promise<string | null> {
  const beside = checksumPath(path)
  let text: string
  try {
    await using source = await openFileSource(beside)
    const bytes = new Uint8Array(Math.min(source.sizeBytes, mostBytes))
    await source.read(bytes, 0)
    text = Buffer.from(bytes).toString('utf8')
  } catch (error) {
    if (error instanceof DeviceError && error.code === 'E_NOT_FOUND') return null
    // A folder of that name, or the like.
    if (error instanceof FormatError) return null
    throw error
  }
  const lines = text.split('\n').map(parseLine)
  const named = lines.find((line) => typeof line?.name === 'string' && basename(line.name) === basename(path))
  const found = named ?? lines.find((line) => line?.name === null)
  if (found) return found.sha256
  const problem = `'${basename(beside)}' names no SHA-256 of '${basename(path)}'.`
  const hint = 'It may be of another file: correct it, or take it away.'
  throw new UsageError('E_UNSUPPORTED', `${beside}: no SHA-256 of the image`, {
    details: { input: beside, problem, hint },
  })
}

/**
 * As `readChecksumFile`, for whoever only wants to know what can be checked: a file that names another image counts as none.
 */
export async function findChecksum(path: string): Promise<string | null> {
  try {
    return await readChecksumFile(path)
  } catch (error) {
    if (error instanceof UsageError) return null
    throw error
  }
}
