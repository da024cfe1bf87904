/**
 * asr's progress line: `\tRestoring  ....10....20` and so on to `100`. One mark for each 2 %; every fifth is the percent
 * itself. (Recorded transcripts of asr restore show it, for example in public notes on restoring macOS installers:
 * `Restoring  ....10....20....30....40....50....60....70....80....90....100`.)
 */
import type { JobPhase } from '#shared/model'
import type { Pass } from './passes.ts'

const marksInAll = 50

/** Marks `from` (exclusive) to `to` (inclusive), counted from 1. */
export function marks(from: number, to: number): string {
  let text = ''
  for (let mark = from + 1; mark <= Math.min(to, marksInAll); mark += 1) {
    text += mark % 5 === 0 ? String(mark * 2) : '.'
  }
  return text
}

/** Where the size isn't known, a dot for each of these. */
const dotBytes = 64 * 1024 * 1024

export interface MarkLine {
  /** What to print now, to bring the lines up to `passes`. */
  advance(passes: readonly Pass<JobPhase>[]): string
  /** Ends a line that was left in the middle. */
  close(): string
}

/** Draws a line for each pass, by appending only. `label` is what a line begins with, `begin` how it is written. */
export function createMarkLines(
  label: (phase: JobPhase) => string,
  begin: (label: string) => string = (text) => `\t${text}  `,
): MarkLine {
  const lines = new Map<JobPhase, { marks: number; dots: number; open: boolean }>()

  function advanceOne(pass: Pass<JobPhase>): string {
    let text = ''
    let line = lines.get(pass.phase)
    if (line === undefined) {
      line = { marks: 0, dots: 0, open: true }
      lines.set(pass.phase, line)
      text += begin(label(pass.phase))
    }
    if (!line.open) return ''
    if (pass.percent === null) {
      const dots = Math.floor(pass.doneBytes / dotBytes)
      text += '.'.repeat(Math.max(0, dots - line.dots))
      line.dots = Math.max(line.dots, dots)
    } else if (line.dots > 0) {
      text += pass.state === 'done' ? 'done' : ''
    } else {
      const reached = Math.floor(pass.percent / 2)
      text += marks(line.marks, reached)
      line.marks = Math.max(line.marks, reached)
    }
    if (pass.state !== 'running') {
      line.open = false
      text += '\n'
    }
    return text
  }

  return {
    advance: (passes) => passes.map(advanceOne).join(''),
    close() {
      const open = [...lines.values()].filter((line) => line.open)
      for (const line of open) line.open = false
      return open.length > 0 ? '\n' : ''
    },
  }
}
