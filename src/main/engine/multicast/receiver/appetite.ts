/**
 * How much a client asks for of what it has nothing of yet: everything, until symbols had to be thrown away for want of room. From then
 * on as much as there is room for, so that nothing is sent for it that it can't take; and again more when its disk turns
 * out to keep up.
 */
export interface Appetite {
  /** It doesn't ask for everything just now. */
  readonly isBounded: boolean
  /** A symbol was thrown away for want of room. */
  full(): void
  /** For one report: how many bytes to ask for. `heldBytes` are in memory, `writtenBytes` are on the disk. */
  ask(heldBytes: number, writtenBytes: number): number
}

/** So many times its room has been kept up with: it isn't the disk that is slow. */
const mostTimes = 8

export function createAppetite(holdBytes: number): Appetite {
  /** Of the room. */
  let times = Infinity
  let wasFull = false
  /** What was on the disk when that changed. */
  let changedAtBytes = 0

  const change = (next: number, writtenBytes: number) => {
    times = next
    changedAtBytes = writtenBytes
  }

  return {
    get isBounded() {
      return wasFull || times < Infinity
    },
    full() {
      wasFull = true
    },
    ask(heldBytes, writtenBytes) {
      const hasKeptUp = heldBytes < holdBytes / 2 && writtenBytes - changedAtBytes >= holdBytes / 2
      if (wasFull) change(1, writtenBytes)
      else if (times < Infinity && hasKeptUp) change(times < mostTimes ? times * 2 : Infinity, writtenBytes)
      wasFull = false
      return times === Infinity ? Infinity : Math.max(0, holdBytes - heldBytes) * times
    },
  }
}
