import { describe, expect, it } from 'vitest'
import type { JobState, StreamProgress } from '#shared/model'
import { createStreamLines } from '#src/main/cli/stream-lines.ts'
import { state } from './fakes.ts'

const progress = (change: Partial<StreamProgress>): StreamProgress => ({
  state: 'receiving',
  waiting: null,
  passes: [],
  passStart: 0,
  blocks: 50,
  missingBlocks: 50,
  receivedBytesPerSecond: 0,
  loss: 0,
  standing: 'well',
  silence: null,
  ...change,
})

const receiving = (change: Partial<StreamProgress>): JobState => {
  const now = state({ phase: 'restoring' })
  return { ...now, progress: now.progress && { ...now.progress, stream: progress(change) } }
}
/** Fifty marks: what is given, then blanks. */
const strip = (marks: string) => marks.padEnd(50, ' ')

function print(...states: readonly JobState[]): string {
  const lines = createStreamLines()
  return states.map((each) => lines.advance(each)).join('') + lines.close()
}

const done = state({ phase: 'verifying' })

describe('the lines of a restore from a stream', () => {
  it('draws a pass as asr does, a mark for each fiftieth', () => {
    expect(
      print(
        receiving({ passes: [strip('..-')] }),
        receiving({ passes: [strip('.......-')] }),
        receiving({ passes: ['.'.repeat(50)] }),
        done,
      ),
    ).toBe('\tRestoring  ....10....20....30....40....50....60....70....80....90....100\n')
  })

  it('marks what a pass has missed, and begins a line for the next pass', () => {
    const first = `${'.'.repeat(10)}x${'.'.repeat(37)}xx`
    expect(
      print(
        receiving({ passes: [strip('..........x..-')] }),
        receiving({ passes: [first, `${'.'.repeat(10)} ${'.'.repeat(37)}  `] }),
        receiving({ passes: [first, '.'.repeat(50)] }),
        done,
      ),
    ).toBe(
      '\tRestoring  ....10....20x...30....40....50....60....70....80....90...xx\n' +
        '\tRestoring  ....10....20....30....40....50....60....70....80....90....100\n',
    )
  })

  it('begins where the stream was when it came', () => {
    const first = `${' '.repeat(30)}${'.'.repeat(5)}-${' '.repeat(14)}`
    expect(
      print(
        receiving({ passStart: 30, passes: [first] }),
        receiving({ passStart: 30, passes: [`..-${' '.repeat(27)}${'.'.repeat(20)}`] }),
        receiving({ passStart: 30, passes: ['.'.repeat(50)] }),
        done,
      ),
    ).toBe('\tRestoring  ....10....20....30....40....50....60....70....80....90....100\n')
  })

  it('draws marks as they come when it came in the middle of a fiftieth, which is the last one then', () => {
    const before = ' '.repeat(30)
    const lines = createStreamLines()
    const advance = (pass: string) => lines.advance(receiving({ passStart: 31, passes: [pass] }))
    expect(advance(strip(''))).toBe('\tRestoring  ')
    expect(advance(strip(`${before}-`))).toBe('')
    expect(advance(strip(`${before}--`))).toBe('')
    expect(advance(strip(`${before}-..x-`))).toBe('..x')
    const behind = `..x${'.'.repeat(16)}`
    expect(advance(`..-${' '.repeat(27)}-${behind}`)).toBe('.10....20....30....40.')
    expect(advance(`${'.'.repeat(30)}-${behind}`)).toBe('...50....60....70....80....90....')
    expect(lines.advance(done)).toBe('100\n')
  })

  it('begins there too when an earlier run has left parts of the image here and there', () => {
    const left = `..  ..${' '.repeat(14)}.-.${' '.repeat(27)}`
    const lines = createStreamLines()
    const advance = (pass: string, passStart: number | null = 30) =>
      lines.advance(receiving({ passStart, passes: [pass] }))
    expect(advance(left, null)).toBe('\tRestoring  ')
    expect(advance(`${left.slice(0, 30)}-${' '.repeat(19)}`)).toBe('')
    expect(advance(`${left.slice(0, 30)}${'.'.repeat(7)}-${' '.repeat(12)}`)).toBe('....10..')
    // What was here already is drawn when the line comes to it.
    expect(advance(`${left.slice(0, 30)}${'.'.repeat(20)}`)).toBe('..20....30....40..')
    expect(advance('.'.repeat(50))).toBe('..50....60....70....80....90....100')
  })

  it('says whom the stream waits for, again when somebody comes', () => {
    const waiting = (joined: number, startsInMs: number | null = null) =>
      receiving({ state: 'waiting', waiting: { joined, wanted: 5, startsInMs } })
    expect(print(waiting(3, 760_000), waiting(3, 759_000), waiting(4, 700_000))).toBe(
      '\tWaiting for the stream to start: 3 joined, waiting for 2 more, or 12:40\n' +
        '\tWaiting for the stream to start: 4 joined, waiting for 1 more, or 11:40\n',
    )
  })

  it('ends a line that was left in the middle', () => {
    const failed = state({
      phase: 'restoring',
      outcome: { kind: 'cancelled', target: 'empty', percent: 7 },
    })
    expect(print(receiving({ passes: [strip('...-')] }), failed)).toBe('\tRestoring  ...\n')
  })

  it('goes on with the newest pass when older ones are forgotten', () => {
    const full = Array.from({ length: 19 }, () => 'x'.repeat(50))
    const text = print(
      receiving({ passes: [...full, strip('...-')] }),
      receiving({ passes: [...full, strip('..-')] }),
      receiving({ passes: [...full, '.'.repeat(50)] }),
      done,
    )
    expect(text.split('\n').slice(18, -2)).toEqual([`\tRestoring  ${'x'.repeat(50)}`, '\tRestoring  ...'])
    expect(text.split('\n')).toHaveLength(22)
  })

  it('draws nothing for other jobs', () => {
    expect(print(state({ phase: 'restoring' }), state({ phase: 'restoring', percent: 50 }), done)).toBe('')
  })
})
