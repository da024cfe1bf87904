/**
 * A restore from a multicast stream as asr tells it: a line for each pass, `....10....20x...30`, a mark for each fiftieth of the
 * image, `x` for a part that the pass has missed. A pass begins where the stream was when we came, so its line does, too: with the
 * first mark of which all has gone by since. Only ever appends.
 */
import type { JobState, StreamProgress } from '#shared/model'
import { describePhase, describeWaiting } from '#shared/words'

const marksInAll = 50
const label = `\t${describePhase('restoring')}  `

export interface StreamLines {
  /** What to print now. Empty for a job that receives nothing. */
  advance(state: JobState): string
  /** It draws the restoring line itself. */
  readonly isDrawing: boolean
  /** Ends a line that was left in the middle. */
  close(): string
}

export function createStreamLines(): StreamLines {
  let waitingFor: string | null = null
  let isDrawing = false
  let isOpen = false
  /** Marks of the open line, and the passes there were when it was begun. */
  let drawn = 0
  let passes = 0
  /** Of the fifty: where passes begin. Null: that isn't known yet. */
  let start: number | null = 0

  const begin = () => {
    isOpen = true
    drawn = 0
    return label
  }
  const end = () => {
    isOpen = false
    return '\n'
  }

  /** Marks that are certain, in the order of the pass; all of them of a pass that is over. */
  function draw(pass: string, whole: 'whole' | 'so far'): string {
    let text = ''
    for (; drawn < marksInAll; drawn++) {
      const mark = pass[((start ?? 0) + drawn) % marksInAll]
      if (!isCertain(mark) && whole === 'so far') break
      const number = drawn + 1
      text += mark !== '.' ? 'x' : number % 5 === 0 ? String(number * 2) : '.'
    }
    return text
  }

  function certainIn(pass: string): number {
    let marks = 0
    while (marks < marksInAll && isCertain(pass[((start ?? 0) + marks) % marksInAll])) marks++
    return marks
  }

  function lines({ passes: strips, passStart, state }: StreamProgress): string {
    let text = ''
    // What comes over the control connection comes from the beginning.
    if (drawn === 0 && passes <= 1) start = passStart ?? (state === 'fetching' ? 0 : null)
    if (start === null) return isOpen ? '' : begin()
    for (let pass = Math.max(0, passes - 1); pass < strips.length; pass++) {
      const strip = strips[pass] ?? ''
      const isLast = pass === strips.length - 1
      // The oldest passes are forgotten at some time: then a new one is known by being less far.
      if (isOpen && isLast && certainIn(strip) < drawn) text += end()
      if (!isOpen) text += begin()
      text += draw(strip, isLast ? 'so far' : 'whole')
      if (!isLast) text += end()
    }
    passes = strips.length
    return text
  }

  return {
    get isDrawing() {
      return isDrawing
    },
    advance(state) {
      const { progress } = state
      const restoring = state.phases.find(({ phase }) => phase === 'restoring')?.state
      const stream = progress?.phase === 'restoring' ? progress.stream : null
      let text = ''
      if (stream !== null && stream.waiting !== null) {
        // The clock goes on; whoever comes is news.
        const { joined, wanted } = stream.waiting
        const key = `${joined} ${wanted}`
        if (key !== waitingFor)
          text += `\tWaiting for the stream to start: ${describeWaiting(stream.waiting)}\n`
        waitingFor = key
      } else if (stream !== null && (isDrawing || stream.passes.length > 0)) {
        isDrawing = true
        text += lines(stream)
      }
      if (!isDrawing || !isOpen) return text
      if (restoring === 'done') text += `${draw('.'.repeat(marksInAll), 'whole')}${end()}`
      else if (restoring !== 'current') text += end()
      return text
    },
    close: () => (isOpen ? end() : ''),
  }
}

const isCertain = (mark: string | undefined): boolean => mark === '.' || mark === 'x'
