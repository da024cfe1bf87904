import { describe, expect, it } from 'vitest'
import { partMarks } from '#shared/model'
import { describeDifferences } from '#shared/words'
import { endsEarly } from '#src/shared/words/differences.ts'

/** The strip that begins so; `rest` goes on to its end. */
const strip = (marks: string, rest = '.') => marks.padEnd(partMarks, rest)

describe('where a disk differs', () => {
  it.each([
    [strip('x'), 'Of 50 parts of what was written, 1 is wrong.'],
    [strip('xx'), 'Of 50 parts of what was written, 2 are wrong.'],
    [strip('..-'), 'Of 50 parts of what was written, 1 is partly wrong.'],
    [strip('-x-'), 'Of 50 parts of what was written, 1 is wrong and 2 are partly wrong.'],
  ])('is counted: %s', (parts, words) => {
    expect(describeDifferences(parts)).toBe(words)
  })

  it.each([
    [
      strip('.xx.', ' '),
      'Of 4 parts that were compared, 2 are wrong. In the other 46 there was nothing to compare.',
    ],
    [
      strip('-x ', 'x'),
      'Of 49 parts that were compared, 48 are wrong and 1 is partly wrong. In the other one there was nothing to compare.',
    ],
    [
      strip('x', ' '),
      'The only part that was compared is wrong. In the other 49 there was nothing to compare.',
    ],
    [
      strip(' -', ' '),
      'The only part that was compared is partly wrong. In the other 49 there was nothing to compare.',
    ],
  ])('is counted among what was compared: %s', (parts, words) => {
    expect(describeDifferences(parts)).toBe(words)
  })
})

describe('a disk that holds less than it says', () => {
  it.each([
    ['nothing is right from some place on', strip('....-', 'x'), true],
    ['nothing is right from the end of a part on', strip('....', 'x'), true],
    ['unused space lies in between', strip('. ..  xx x xx  ', ' '), true],
    ['something behind is right', strip('....xxxxxx', '.'), false],
    ['nothing at all is right', strip('', 'x'), false],
    ['too little of it is wrong to tell', strip('....xxxx', ' '), false],
    ['only parts of it are wrong', strip('..------', ' '), false],
  ])('is told where %s', (_, parts, told) => {
    expect(endsEarly(parts, 100)).toBe(told)
  })

  it('is not told by a few blocks that are many parts', () => {
    expect(endsEarly(strip('....', 'x'), 4)).toBe(false)
    expect(endsEarly(strip('....', 'x'), 5)).toBe(true)
  })
})
