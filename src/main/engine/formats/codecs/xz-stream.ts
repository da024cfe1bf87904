/** xz (file format 1.2): streams one after the other, and between and after them zeros in fours. */
import { FormatError } from '#shared/errors'
import { corrupt } from './corrupt.ts'
import type { StoredPieces } from './stored-pieces.ts'
import { explainXz, loadXz, xzStatus, XzContext } from './xz-wasm.ts'

/** The expanded bytes. Throws FormatError E_SRC_CORRUPT, or E_SRC_FORMAT for what the decoder doesn't know. */
export async function* decodeXz(pieces: StoredPieces): AsyncGenerator<Uint8Array> {
  await loadXz()
  using context = new XzContext()
  for (let at = 0; ;) {
    if (context.inputLeft === 0) at += context.supply(await pieces.at(at), 0)
    const { status, bytes } = context.decode()
    if (bytes.length > 0) yield bytes.slice()
    if (status === xzStatus.end) return
    if (status !== xzStatus.ok) throw refused(status, at - context.inputLeft)
  }
}

function refused(status: number, taken: number): FormatError {
  const { isSupported, message, field, offset, expected } = explainXz(status, taken)
  if (isSupported) return corrupt('xz', message, { field, offset, cutShort: status === xzStatus.buffer })
  return new FormatError('E_SRC_FORMAT', `xz: ${message} (${field} at ${offset})`, {
    details: { format: 'xz', field, offset, ...(expected === undefined ? {} : { expected }) },
  })
}
