import { describe, expect, it } from 'vitest'
import { urlProblem } from '#src/renderer/store/url-problem.ts'

describe('the address of an image', () => {
  it.each([
    'http://lab/System.dmg',
    ' https://ann:pw@lab.example:8443/a%20b.dmg?v=2 ',
    'HTTPS://[::1]/x.img',
    'asr://lab',
    'asr://lab:7801/Lab%2010.6',
  ])('may be %s', (address) => expect(urlProblem(address)).toBeNull())

  it.each([
    ['', 'Give the address'],
    ['lab/System.dmg', 'begins with http'],
    ['asr://', 'asr://server'],
    ['asr://lab:99999/x', 'asr://server'],
    ['ftp://lab/System.dmg', 'not ftp://'],
    ['http://', "isn't an address"],
    ['https://a b/', "isn't an address"],
    [`http://lab/${'x'.repeat(5000)}`, 'too long'],
  ])('is not %j', (address, words) => expect(urlProblem(address)).toContain(words))
})
