import { describe, expect, it } from 'vitest'
import { parseSmallPlist } from '#src/main/engine/formats/udif/small-plist.ts'
import { failureOf } from '#test/format-errors'

const parse = (body: string) => [...parseSmallPlist(new TextEncoder().encode(`<plist>${body}</plist>`))]

describe('a small plist', () => {
  it('is its top dict', () => {
    const body =
      '<dict><key>n</key><integer>-5</integer><key>t</key><true/><key>s</key><string>x</string><key>d</key><data>AAE=</data></dict>'
    expect(parse(body)).toEqual([
      ['n', -5],
      ['t', true],
      ['s', 'x'],
      ['d', Buffer.from([0, 1])],
    ])
  })

  it('passes over what is nested', () => {
    const nested = '<dict><key>x</key><integer>1</integer></dict>'
    expect(
      parse(
        `<dict><key>a</key>${nested}<key>b</key><array><string>y</string></array><key>c</key><false/></dict>`,
      ),
    ).toEqual([['c', false]])
  })

  it('keeps the first of two values', () => {
    expect(parse('<dict><key>a</key><integer>1</integer><key>a</key><integer>2</integer></dict>')).toEqual([
      ['a', 1],
    ])
  })

  it('leaves out numbers that are none', () => {
    expect(parse('<dict><key>a</key><integer>x</integer><key>b</key><integer/></dict>')).toEqual([])
  })

  it('is refused without a dict', () => {
    expect(failureOf(() => parse('<array/>')).field).toBe('plist')
    expect(failureOf(() => parseSmallPlist(new Uint8Array(0))).field).toBe('plist')
  })
})
