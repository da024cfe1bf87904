/** What people are told of a disk that stops responding: once each time. Programs read it in the progress. */
import type { Stall } from '#shared/model'
import { describeStall, type Names } from '#shared/words'
import { printable } from './printable.ts'

/** `say` takes whole lines. `hear` at each change of the job. */
export function createStallLine(say: (text: string) => void, names: Names) {
  let isTold = false
  return {
    hear(stall: Stall | null): void {
      if (stall !== null && !isTold) say(`${printable(describeStall(stall, names))}\n`)
      isTold = stall !== null
    },
  }
}
