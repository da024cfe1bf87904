/**
 * Who has a session's image, and who is gone without it: so long is somebody waited for, and a computer that comes back is known
 * again, whatever its client calls itself.
 */
import { isSameComputer, type Applicant } from './admission.ts'

/** A session that is to end then waits so long for who vanished, or is silent: to start a computer again takes a while. */
export const vanishedMs = 120_000
/**
 * So many who have finished are known by name, and so many who are gone for long; of more the first are forgotten. Names cost
 * nothing to whoever makes them up.
 */
const mostRemembered = 16_384

interface Missing {
  readonly sinceMs: number
  readonly computer: Applicant
}

export class Attendance {
  readonly #finished = new Set<string>()
  readonly #missing = new Map<string, Missing>()

  get finishedCount(): number {
    return this.#finished.size
  }

  /** It is here, for the first time or again, and wants the image. */
  joined(clientId: string): void {
    this.#finished.delete(clientId)
    this.#missing.delete(clientId)
  }

  finished(clientId: string): void {
    this.#finished.add(clientId)
    const [first] = this.#finished
    if (this.#finished.size > mostRemembered && first !== undefined) this.#finished.delete(first)
  }

  /** Its connection has ended. */
  left(clientId: string, computer: Applicant, nowMs: number): void {
    if (!this.#finished.has(clientId)) this.silent(clientId, computer, nowMs)
  }

  /** Nothing is heard of it, whether its connection stands or not. */
  silent(clientId: string, computer: Applicant, nowMs: number): void {
    if (!this.#missing.has(clientId)) this.#missing.set(clientId, { sinceMs: nowMs, computer })
  }

  /** It isn't missing any more: it is heard, its computer is here as another client, or it was sent away. */
  found(clientId: string): void {
    this.#missing.delete(clientId)
  }

  isMissing(clientId: string): boolean {
    return this.#missing.has(clientId)
  }

  /** Who was lost on this computer, of those that aren't `heard`; null for nobody. */
  lostOn(computer: Applicant, heard: ReadonlySet<string>): string | null {
    for (const [clientId, each] of this.#missing)
      if (!heard.has(clientId) && isSameComputer(each.computer, computer)) return clientId
    return null
  }

  /** Somebody is gone, but not for so long that nobody waits any more. */
  isSomebodyAwaited(nowMs: number): boolean {
    return this.#missing.values().some((each) => isAwaited(each, nowMs))
  }

  /** They are known for longer than they are waited for: their computers may come back. `isHere`: the connection stands. */
  tidy(nowMs: number, isHere: (clientId: string) => boolean): void {
    for (const [clientId, each] of this.#missing) {
      if (this.#missing.size <= mostRemembered) return
      if (!isAwaited(each, nowMs) && !isHere(clientId)) this.#missing.delete(clientId)
    }
  }
}

const isAwaited = ({ sinceMs }: Missing, nowMs: number) => nowMs - sinceMs < vanishedMs
