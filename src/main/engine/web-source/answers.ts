/** What every answer must be before a byte of it is taken. */
import { parseContentRange } from './content-range.ts'
import type { Exchange } from './exchange.ts'
import { answerError, statusError } from './web-errors.ts'

/** An answer without its body. */
export type Head = Pick<Exchange, 'url' | 'status' | 'headers'> & Partial<Pick<Exchange, 'gavePassword'>>

/** 206 with exactly the range that was asked for, and no other number of bytes announced. */
export function checkRange(
  { url, headers }: Head,
  { from, to, sizeBytes }: { readonly from: number; readonly to: number; readonly sizeBytes: number },
): void {
  const text = headers['content-range']
  const range = parseContentRange(text)
  if (range?.from !== from || range.to !== to || range.sizeBytes !== sizeBytes)
    throw answerError(url, 'another part than was asked for', {
      field: 'Content-Range',
      found: text?.slice(0, 100) ?? 'nothing',
      expected: `bytes ${from}-${to - 1}/${sizeBytes}`,
    })
  const length = headers['content-length']
  if (length !== undefined && Number(length) !== to - from)
    throw answerError(url, 'another length than that of the part', {
      field: 'Content-Length',
      found: length.slice(0, 30),
      expected: String(to - from),
    })
}

/** We asked for the file's own bytes. A server that names the compression of a `.gz` file sends these all the same. */
export function refuseEncoded({ url, headers }: Head): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity' || encoding === '' || /\.(gz|tgz|bz2|xz|zst)$/i.test(url.pathname)) return
  throw answerError(url, `the answer is compressed (${encoding.slice(0, 30)}) though that was declined`, {
    field: 'Content-Encoding',
    found: encoding.slice(0, 30),
    expected: 'identity',
  })
}

export const refusedStatus = ({ url, status, headers, gavePassword = false }: Head) =>
  statusError(url, status, { challenge: headers['www-authenticate'], given: gavePassword })

export function discard({ body }: Exchange): void {
  body.on('error', () => undefined)
  body.destroy()
}
