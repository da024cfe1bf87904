/**
 * Answers of a responder cut into messages. RFC 6762 §17: a message longer than 9000 bytes, with the headers of IP and UDP, isn't
 * sent, and who hears one needn't heed it; one that is longer than a frame is lost with any of its fragments. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import { recordBytes, type DnsRecord } from './dns-message.ts'

export interface AnswerPart {
  readonly answers: readonly DnsRecord[]
  readonly additionals: readonly DnsRecord[]
}

const networkHeaderBytes = 28
/** A message that goes in one of Ethernet's frames, and the longest there may be. */
export const [frameBytes, mostMessageBytes] = [1500 - networkHeaderBytes, 9000 - networkHeaderBytes]

/**
 * In the order of the answers; what is said besides stands in the same message as its answer, and there once. A part has more
 * than `roomBytes` only where one answer alone has.
 */
export function packAnswers(
  answers: readonly DnsRecord[],
  besides: (answer: DnsRecord) => readonly DnsRecord[],
  roomBytes: number,
): readonly AnswerPart[] {
  const parts: { readonly answers: DnsRecord[]; readonly additionals: DnsRecord[]; usedBytes: number }[] = []
  for (const answer of answers) {
    const all = besides(answer)
    const last = parts.at(-1)
    const isThere = (record: DnsRecord) =>
      last?.additionals.some((each) => isDeepStrictEqual(each, record)) === true
    const added = all.filter((record) => !isThere(record))
    const addedBytes = bytesOf([answer, ...added])
    if (last === undefined || last.usedBytes + addedBytes > roomBytes)
      parts.push({ answers: [answer], additionals: [...all], usedBytes: bytesOf([answer, ...all]) })
    else {
      last.answers.push(answer)
      last.additionals.push(...added)
      last.usedBytes += addedBytes
    }
  }
  return parts
}

const bytesOf = (records: readonly DnsRecord[]) =>
  records.reduce((sum, record) => sum + recordBytes(record), 0)
