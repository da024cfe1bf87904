import { describe, expect, it } from 'vitest'
import { refuseDamagedUdif } from '#src/main/engine/formats/image/refusals.ts'
import { encodeResourcePlist } from '#test/build-udif'
import { failureOf } from '#test/format-errors'

const ends = (bytes: Uint8Array | string, path = '/a.dmg') => {
  const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  return { path, sizeBytes: all.length, head: all.subarray(0, 4096), tail: all.subarray(-65_536) }
}
const damage = (bytes: Uint8Array | string, path?: string) =>
  failureOf(() => refuseDamagedUdif(ends(bytes, path)))
const plist = encodeResourcePlist([{ type: 'blkx', id: 0, data: new Uint8Array(5000) }])
const data = 'd'.repeat(3000)
const lost = { code: 'E_SRC_CORRUPT', format: 'udif', field: 'koly' }

describe('a UDIF image that lost its end', () => {
  it('is recognised by the end of its plist, whatever it is called', () => {
    for (const path of ['/a.dmg', '/a.img', '/a']) expect(damage(data + plist, path)).toMatchObject(lost)
    expect(damage(`${data}${plist} \n`)).toMatchObject(lost)
  })

  it('is recognised by the beginning of its plist', () => {
    const cut = plist.slice(0, plist.indexOf('<array>'))
    expect(cut).not.toMatch(/\n\t+[\w+/]{20,}/)
    expect(damage(data + cut)).toMatchObject(lost)
  })

  it('is recognised by lines of base64 at its end', () => {
    const lines = plist.slice(plist.indexOf('<data>') + 8, -600)
    expect(lines).not.toContain('resource-fork')
    expect(damage(data + lines)).toMatchObject(lost)
  })

  it('is recognised by a trailer that something follows', () => {
    expect(damage(`${data}koly\0\0\0\x04\0\0\x02\0${'\0'.repeat(5000)}`)).toMatchObject(lost)
  })

  it('is recognised by the compressed runs it begins with', () => {
    for (const start of [
      'x\x01',
      'x\x5e',
      'x\x9c',
      'x\xda',
      'BZh9',
      '\xfd7zXZ\0',
      'bvx2',
      'bvxn',
      'bvx-',
      'bvx1',
    ])
      expect(damage(start + data)).toMatchObject(lost)
  })

  it('is only looked for so closely under its own name', () => {
    const cut = plist.slice(0, plist.indexOf('<array>'))
    for (const path of ['/a.img', '/a', '/a.dmg/b'])
      for (const bytes of [data + cut, `x\x01${data}`, `BZh9${data}`])
        expect(() => refuseDamagedUdif(ends(bytes, path))).not.toThrow()
  })

  it('is not just any plist', () => {
    const other = '<plist version="1.0"><dict><key>Port</key><integer>5</integer></dict></plist>\n'
    expect(() => refuseDamagedUdif(ends(other, '/server.plist'))).not.toThrow()
    expect(damage(other, '/server.dmg')).toMatchObject(lost)
  })

  it('is not what another file is', () => {
    for (const bytes of [
      '',
      'x',
      data,
      '</plist> and more',
      `x\x02${data}`,
      'a text\n\twith tabs\n\tand lines\n',
    ])
      expect(() => refuseDamagedUdif(ends(bytes))).not.toThrow()
  })
})
