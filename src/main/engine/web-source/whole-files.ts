/**
 * What servers without ranges have sent, for everybody in this process who reads it: by the address without name and password, as long as
 * somebody has it open, and for a while after.
 */
import { withoutPassword } from '#shared/model'
import type { Spool } from './spool.ts'
import type { Validators } from './validators.ts'

export interface WholeFile {
  readonly spool: Spool
  readonly validators: Validators
  /** Where redirects led. */
  readonly finalUrl: URL
  /** The server said how long it is before it sent it. */
  readonly saysSize: boolean
  /** When the last of it came, by the client's clock. */
  readonly cameMs: number
}

/** How long a file that nobody reads is kept: for as long as a plan that needs it may be carried out. */
const unusedMs = 10 * 60_000

export class WholeFiles implements Disposable {
  readonly #byPath = new Map<string, WholeFile>()
  readonly #holders = new Map<Spool, number>()
  /** Not for who looks for the first time. */
  readonly #used = new WeakSet<WholeFile>()

  get size(): number {
    return this.#byPath.size
  }

  get(path: string): WholeFile | null {
    return this.#byPath.get(path) ?? null
  }

  /** From now on, what is at `path` is `file`. */
  keep(path: string, file: WholeFile): void {
    const before = this.#byPath.get(path)
    this.#byPath.set(path, file)
    if (before !== undefined && !this.#holders.has(before.spool)) before.spool.close()
  }

  /** `file` is in use until the function is called that this returns. Unused, it goes after a while. */
  hold(path: string, file: WholeFile): () => void {
    const { spool } = file
    this.#holders.set(spool, (this.#holders.get(spool) ?? 0) + 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const left = (this.#holders.get(spool) ?? 1) - 1
      if (left > 0) return void this.#holders.set(spool, left)
      this.#holders.delete(spool)
      if (this.#byPath.get(path) !== file) return spool.close()
      setTimeout(() => {
        if (this.#holders.has(spool)) return
        if (this.#byPath.get(path) === file) this.#byPath.delete(path)
        spool.close()
      }, unusedMs).unref()
    }
  }

  /** Somebody took what is in it: who looks at that address from now on means what is there then. */
  use(file: WholeFile): void {
    this.#used.add(file)
  }

  isUsed(file: WholeFile): boolean {
    return this.#used.has(file)
  }

  /** Who looks at the file at `address`, or at one beside it, means what is there from now on. */
  lookAnew(address: string): void {
    const folder = folderOf(address)
    for (const [path, file] of this.#byPath) if (folderOf(path) === folder) this.use(file)
  }

  [Symbol.dispose](): void {
    for (const { spool } of this.#byPath.values()) spool.close()
    for (const spool of this.#holders.keys()) spool.close()
    this.#byPath.clear()
    this.#holders.clear()
  }
}

/** Without name and password, which an address may still have or not any more. */
export const folderOf = (address: string): string => new URL('.', withoutPassword(address)).href
