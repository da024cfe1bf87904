import { describe, expect, it } from 'vitest'
import { readAdmission } from '#src/renderer/store/admission-draft.ts'
import { describeError } from '#shared/words'

const linesOf = (text: string) =>
  readAdmission(text).problems.map(({ line, error }) => `${line}: ${describeError(error).what}`)

describe('who may join', () => {
  it('is everyone where nothing is typed', () => {
    expect(readAdmission(' \n\n')).toEqual({ rules: [], problems: [], admitsNobody: false })
  })

  it('is a rule a line, in order; empty lines are none, and commas part rules, too', () => {
    expect(readAdmission('!lab-07\r\n  lab-* \n\n10.0.3.0/24, 10.0.4.1-10.0.4.9').rules).toEqual([
      '!lab-07',
      'lab-*',
      '10.0.3.0/24',
      '10.0.4.1-10.0.4.9',
    ])
  })

  it('names each line that is no rule, as people count lines', () => {
    expect(linesOf('lab-*\n\n10.0.3.300\nlab-*, 10.0.3.0/40, a b')).toEqual([
      "3: '10.0.3.300' is no address.",
      "4: '10.0.3.0/40' is no network.",
      "4: 'a b' is no name.",
    ])
  })

  it('is nobody where all rules refuse', () => {
    expect(readAdmission('!lab-07').admitsNobody).toBe(true)
    expect(readAdmission('!lab-07\n*').admitsNobody).toBe(false)
    // First things first: the line that is no rule may be the one that lets in.
    expect(readAdmission('!lab-07\na b').admitsNobody).toBe(false)
  })
})
