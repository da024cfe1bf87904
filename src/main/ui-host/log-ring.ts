/** The last log lines, for a window that opens later. Bounded in number and in size, so that they fit one frame. */
import { maxFrameBytes } from '#shared/contract'
import type { LogLine } from '#shared/log'

const maxLines = 2000
/** Half a frame, as characters; a character is at most three bytes, and almost all are one. */
const maxCharacters = maxFrameBytes / 6
const maxLineCharacters = 8192

export class LogRing {
  #lines: { readonly line: LogLine; readonly size: number }[] = []
  #size = 0

  /** Returns the line as it is kept: one whose fields are very long loses them. */
  add(line: LogLine): LogLine {
    const whole = JSON.stringify(line).length
    const kept =
      whole <= maxLineCharacters
        ? line
        : { ...line, message: line.message.slice(0, 1024), fields: { left: 'out: too long' } }
    const size = Math.min(whole, maxLineCharacters)
    this.#lines.push({ line: kept, size })
    this.#size += size
    while (this.#lines.length > maxLines || this.#size > maxCharacters) {
      this.#size -= this.#lines.shift()?.size ?? 0
    }
    return kept
  }

  /** Oldest first. */
  read(): LogLine[] {
    return this.#lines.map(({ line }) => line)
  }
}
