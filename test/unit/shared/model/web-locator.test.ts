import { describe, expect, it } from 'vitest'
import { isWebLocator, webName, withoutPassword, withPassword } from '#shared/model'

describe('a locator on the web', () => {
  it('is known by its scheme, whatever its case', () => {
    expect(['http://a/b', 'HTTPS://a', '/http://a', 'asr://a', 'a.dmg'].map(isWebLocator)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })

  it('loses name and password, and nothing else', () => {
    expect(withoutPassword('https://ann:s3cret@host:8443/a@b.dmg?x=@')).toBe('https://host:8443/a@b.dmg?x=@')
    expect(withoutPassword('http://ann:p@ss@host/a')).toBe('http://host/a')
    expect(withoutPassword('/media/ann:x@y/a.dmg')).toBe('/media/ann:x@y/a.dmg')
    // What reads addresses takes as many slashes as there are.
    expect(withoutPassword('https:///ann:s3cret@host/a')).toBe('https://host/a')
    expect(withoutPassword('https://\\/ann:s3cret@host/a')).toBe('https://host/a')
    expect(withoutPassword('https:///host/a')).toBe('https:///host/a')
  })

  it('takes a name and a password that hold anything', () => {
    const url = withPassword('http://old:one@host/a.dmg', 'ann', 'p@:/ ü')
    expect(url).toBe('http://ann:p%40%3A%2F%20%C3%BC@host/a.dmg')
    expect(decodeURIComponent(new URL(url).password)).toBe('p@:/ ü')
  })

  it.each([
    ['http://host/images/Lab%20Mac.dmg?key=1', 'Lab Mac.dmg'],
    ['http://ann:secret@host/', 'host'],
    ['http://host/%', '%'],
    ['http://host/a%2F..%2Fb%00%E2%80%AEgmd.dmg', 'a .. b  gmd.dmg'],
    ['http://host/%20', 'host'],
  ])('calls %s %s', (locator, name) => {
    expect(webName(locator)).toBe(name)
  })
})
