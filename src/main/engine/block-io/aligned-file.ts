/**
 * Reads and writes through a descriptor that may ask for alignment (O_DIRECT), by the system's threads. What is aligned
 * goes straight through; the rest takes a detour through one aligned buffer, one after another. Shared by the sinks.
 */
import { read, write } from 'node:fs'
import { DeviceError } from '#shared/errors'
import { allocatePageAligned, isAlignedInMemory } from './page-aligned.ts'
import { readFailure, writeFailure } from './system-failure.ts'

export interface AlignedFileOptions {
  readonly fd: number
  readonly path: string
  /** 1 when anything goes. */
  readonly alignmentBytes: number
  /** What lies past the end reads as zeros instead of being an error: a plain file that grows. */
  readonly pastEnd: 'zeros' | 'error'
}

const detourBytes = 1024 * 1024

export class AlignedFile {
  readonly #options: AlignedFileOptions
  #detour: Uint8Array | null = null
  #detourFree: Promise<unknown> = Promise.resolve()
  #underWay = 0
  #whenIdle: (() => void)[] = []

  constructor(options: AlignedFileOptions) {
    this.#options = options
  }

  /** Write all of `bytes`. Throws DeviceError E_IO_WRITE, E_DST_FULL, E_DST_GONE, E_DST_READONLY. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    if (this.#isStraight(bytes, offset)) return this.#writeAll(bytes, offset)
    return this.#inDetour(bytes.length, offset, async (detour, unitStart, from, to, done) => {
      // Units that are written in part keep the rest of what they held.
      if (from > 0) await this.#readUnit(detour, unitStart, 0)
      const lastUnit = to - (to % this.#options.alignmentBytes)
      if (to > lastUnit && (lastUnit > 0 || from === 0)) await this.#readUnit(detour, unitStart, lastUnit)
      detour.set(bytes.subarray(done, done + to - from), from)
      await this.#writeAll(detour, unitStart)
    })
  }

  /** Fill `into`. Throws DeviceError E_IO_READ, E_DST_GONE. */
  async read(into: Uint8Array, offset: number): Promise<void> {
    if (this.#isStraight(into, offset)) return this.#readAll(into, offset)
    return this.#inDetour(into.length, offset, async (detour, unitStart, from, to, done) => {
      await this.#readAll(detour, unitStart)
      into.set(detour.subarray(from, to), done)
    })
  }

  /** Resolves when nothing is under way any more: only then may the descriptor be closed. */
  async idle(): Promise<void> {
    while (this.#underWay > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  #isStraight(bytes: Uint8Array, offset: number): boolean {
    const { alignmentBytes } = this.#options
    return (
      offset % alignmentBytes === 0 &&
      bytes.length % alignmentBytes === 0 &&
      isAlignedInMemory(bytes, alignmentBytes)
    )
  }

  /**
   * `step` for each part of `lengthBytes` from `offset` that fits the buffer: `detour` stands for whole units from
   * `unitStart`, of which `from` to `to` are wanted; `done` bytes came before.
   */
  async #inDetour(
    lengthBytes: number,
    offset: number,
    step: (detour: Uint8Array, unitStart: number, from: number, to: number, done: number) => Promise<void>,
  ): Promise<void> {
    const { alignmentBytes } = this.#options
    const work = async () => {
      this.#detour ??= allocatePageAligned(Math.max(detourBytes, alignmentBytes))
      for (let done = 0; done < lengthBytes;) {
        const from = (offset + done) % alignmentBytes
        const to = Math.min(this.#detour.length, from + lengthBytes - done)
        const units = Math.ceil(to / alignmentBytes) * alignmentBytes
        await step(this.#detour.subarray(0, units), offset + done - from, from, to, done)
        done += to - from
      }
    }
    const turn = this.#detourFree.then(work)
    this.#detourFree = turn.catch(() => undefined)
    return turn
  }

  #readUnit(detour: Uint8Array, unitStart: number, at: number): Promise<void> {
    return this.#readAll(detour.subarray(at, at + this.#options.alignmentBytes), unitStart + at)
  }

  async #writeAll(bytes: Uint8Array, offset: number): Promise<void> {
    const { fd, path, alignmentBytes } = this.#options
    for (let done = 0; done < bytes.length;) {
      const wrote = await this.#call(
        (settle) => {
          write(fd, bytes, done, bytes.length - done, offset + done, settle)
        },
        (error) => writeFailure(error, path, offset + done),
      )
      // A short write may end inside a unit; that one is written again.
      const whole = wrote - (wrote % alignmentBytes)
      if (whole === 0 && wrote !== interrupted) throw noRoom(path, offset + done)
      done += Math.max(0, whole)
    }
  }

  async #readAll(into: Uint8Array, offset: number): Promise<void> {
    const { fd, path, pastEnd } = this.#options
    for (let done = 0; done < into.length;) {
      const got = await this.#call(
        (settle) => {
          read(fd, into, done, into.length - done, offset + done, settle)
        },
        (error) => readFailure(error, path, offset + done, 'destination'),
      )
      if (got === 0) {
        if (pastEnd === 'error') throw endsEarly(path, offset + done)
        into.fill(0, done)
        return
      }
      done += Math.max(0, got)
    }
  }

  /** One system call. Resolves to its number of bytes, or `interrupted`. */
  #call(
    start: (settle: (error: Error | null, bytes: number) => void) => void,
    failure: (error: Error) => unknown,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#underWay += 1
      start((error, bytes) => {
        this.#underWay -= 1
        if (this.#underWay === 0) for (const wake of this.#whenIdle.splice(0)) wake()
        if (error === null) resolve(bytes)
        else if ('code' in error && error.code === 'EINTR') resolve(interrupted)
        else reject(failure(error))
      })
    })
  }
}

const interrupted = -1

function noRoom(path: string, offset: number): DeviceError {
  return new DeviceError('E_DST_FULL', `${path} takes nothing more at ${offset}`, {
    details: { path, offset },
  })
}

function endsEarly(path: string, offset: number): DeviceError {
  return new DeviceError('E_IO_READ', `${path} ends at ${offset}`, { details: { path, offset } })
}
