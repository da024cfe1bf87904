/**
 * Making a stretch of a device read as zeros: by the device itself, or by sending zeros. What didn't work once isn't tried again.
 *
 * Never by discarding, though that may look the same: what isn't vouched for may read as zeros now and as something else later (SATA
 * knows disks whose reads after a TRIM aren't even the same twice), and nobody looks again. Where a disk vouches for it (RZAT of SATA,
 * LBPRZ of SCSI, the erased byte of cards) and Linux believes it, Linux offers it as zeroing, and that is asked for. The price is time
 * on the others: they are sent zeros like data.
 */
import { DeviceError } from '#shared/errors'
import type { AlignedFile } from './aligned-file.ts'
import type { OnPiece } from './block-sink.ts'
import { allocatePageAligned } from './page-aligned.ts'
import { StretchPace } from './stretch-pace.ts'

/** A call to the device for a stretch: whole units. Rejects when it can't, or with the signal's reason. */
export type StretchCall = (offset: number, lengthBytes: number, signal?: AbortSignal) => Promise<void>

export interface ZeroDeviceOptions {
  readonly file: Pick<AlignedFile, 'write'>
  readonly alignmentBytes: number
  /** Zeroes without data being sent, and is trusted to. */
  readonly zeroOut: StretchCall | null
}

/** Below this, sending zeros is faster than starting a program to ask the device. */
export const leastOffloadBytes = 4 * 1024 * 1024
const pieceBytes = 1024 * 1024
/** Of all stretches together: others want to use the process's threads, too. */
const writesInFlight = 4
/** A Cancel comes through between two stretches. A slow stick for which the kernel writes the zeros takes most of a second for 8 MiB. */
const zeroPace = { firstBytes: 8 * 1024 * 1024, leastBytes: leastOffloadBytes, quickMs: 100, slowMs: 400 }

export class ZeroDevice {
  readonly #options: ZeroDeviceOptions
  #zeroOut: StretchCall | null
  readonly #pace = new StretchPace(zeroPace)
  #zeros: Uint8Array | null = null
  #writing = 0
  readonly #waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = []

  constructor(options: ZeroDeviceOptions) {
    this.#options = options
    this.#zeroOut = options.zeroOut
  }

  /** See `BlockSink.zero`. */
  async zero(
    offset: number,
    lengthBytes: number,
    signal?: AbortSignal,
    onPiece?: OnPiece,
  ): Promise<'offloaded' | 'written'> {
    const { alignmentBytes } = this.#options
    const end = offset + lengthBytes
    const from = Math.ceil(offset / alignmentBytes) * alignmentBytes
    const to = Math.floor(end / alignmentBytes) * alignmentBytes
    if (to - from < leastOffloadBytes || this.#zeroOut === null) {
      await this.#write(offset, end, signal, onPiece)
      return 'written'
    }
    let how: 'offloaded' | 'written' = 'offloaded'
    if (from > offset) await this.#write(offset, from, signal)
    for (let at = from; at < to;) {
      signal?.throwIfAborted()
      const stretchEnd = Math.min(to, at + this.#pace.bytes)
      if (await this.#offload(at, stretchEnd, signal)) {
        await onPiece?.(stretchEnd - at, 'offloaded')
      } else {
        // The device may have been exchanged while it was asked: whoever hears of pieces looks before any is sent.
        await onPiece?.(0, 'written')
        await this.#write(at, stretchEnd, signal, onPiece)
        how = 'written'
      }
      at = stretchEnd
    }
    if (end > to) await this.#write(to, end, signal)
    return how
  }

  /** True when the stretch reads as zeros now without any having been sent. */
  async #offload(from: number, to: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#zeroOut === null) return false
    if (await this.#call(this.#zeroOut, from, to, signal)) return true
    this.#zeroOut = null
    return false
  }

  /** False when the device wouldn't; as a rule why doesn't matter: what comes instead meets the same trouble, or none. */
  async #call(call: StretchCall, from: number, to: number, signal?: AbortSignal): Promise<boolean> {
    try {
      await this.#pace.time(to - from, () => call(from, to - from, signal))
      return true
    } catch (error) {
      signal?.throwIfAborted()
      // There may be another card in its place by now.
      if (error instanceof DeviceError && error.code === 'E_DST_GONE') throw error
      return false
    }
  }

  async #write(from: number, to: number, signal?: AbortSignal, onPiece?: OnPiece): Promise<void> {
    const zeros = this.#zeroPiece()
    await eachPiece(from, to, signal, (at, lengthBytes) =>
      this.#inTurn(async () => {
        signal?.throwIfAborted()
        await this.#options.file.write(zeros.subarray(0, lengthBytes), at)
        if (onPiece !== undefined) await this.#tell(() => onPiece(lengthBytes, 'written'))
      }),
    )
  }

  /** Who hears of a piece that the device is another one now ends what waits, too: it would go to the same one. */
  async #tell(hear: () => void | Promise<void>): Promise<void> {
    try {
      await hear()
    } catch (error) {
      for (const { reject } of this.#waiting.splice(0)) reject(error)
      throw error
    }
  }

  async #inTurn(piece: () => Promise<void>): Promise<void> {
    if (this.#writing === writesInFlight)
      await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    else this.#writing += 1
    try {
      await piece()
    } finally {
      // Who waits takes this one's place.
      const next = this.#waiting.shift()
      if (next === undefined) this.#writing -= 1
      else next.resolve()
    }
  }

  #zeroPiece(): Uint8Array {
    return (this.#zeros ??= allocatePageAligned(pieceBytes))
  }
}

/** Pieces that end at multiples of the piece's size, a few at a time. Nothing is under way any more when it settles. */
async function eachPiece(
  from: number,
  to: number,
  signal: AbortSignal | undefined,
  work: (offset: number, lengthBytes: number) => Promise<void>,
): Promise<void> {
  let at = from
  const lane = async () => {
    while (at < to) {
      signal?.throwIfAborted()
      const start = at
      at = Math.min(to, start - (start % pieceBytes) + pieceBytes)
      await work(start, at - start)
    }
  }
  const lanes = Array.from({ length: writesInFlight }, () =>
    lane().catch((error: unknown) => {
      // The others stop at their next piece.
      at = to
      throw error
    }),
  )
  const results = await Promise.allSettled(lanes)
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}
