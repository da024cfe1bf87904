import { mkdir, readdir, stat } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { fillFolder, hashFolder, hashVolume, makeVolume, volumeKinds } from '#test/filled-volume'
import { attachLoop } from '#test/loop'
import { missing } from '#test/needs'
import { reprise, temporaryFolder } from './run-reprise.ts'

const create = (target: string, format: string, ...rest: string[]) => [
  'image',
  'create',
  '--target',
  target,
  '--format',
  format,
  ...rest,
]
const ext4 = volumeKinds.ext[2]

describe('reprise image create', () => {
  it('makes a blank disk with a map, and puts nothing in the place of a file', async () => {
    await using folder = await temporaryFolder()
    const target = folder.path('blank.dmg')
    const made = await reprise(create(target, 'udzo', '--size', '32m', '--map', 'gpt'))
    expect(made.err).toBe('')
    expect(made.status).toBe(0)
    expect(made.out).toContain('\tBlank, with a partition map (GPT)\n')
    expect(made.out).toContain('\tTarget: UDIF read-only compressed (zlib), a disk of 33.6 MB, ')
    const { size } = await stat(target)
    const again = await reprise(create(target, 'raw', '--size', '1m'))
    expect(again.err).toContain('E_DST_EXISTS')
    expect(again.status).toBe(1)
    expect((await stat(target)).size).toBe(size)
    expect(await readdir(folder.path('.'))).toEqual(['blank.dmg'])
    const told = await reprise(['image', 'info', target])
    expect(told.out).toContain('GUID')
  })
})

describe.skipIf(missing('root', 'loop', 'program:mke2fs'))(
  'reprise image create',
  { timeout: 60_000 },
  () => {
    it('makes an encrypted image of a device, and it is restored from it', async () => {
      await using folder = await temporaryFolder()
      const file = folder.path('volume.img')
      const before = await makeVolume(ext4, file)
      await using loop = await attachLoop({ file })
      const target = folder.path('new.dmg')
      const flags = ['--encryption', 'AES-256', '--stdinpass', '--json']
      const made = await reprise(create(target, 'ulfo', '--source', loop.path, ...flags), 'secret')
      expect(made.err).toBe('')
      const last = JSON.parse(made.out.trimEnd().split('\n').at(-1) ?? '') as object
      expect(last).toMatchObject({
        type: 'outcome',
        kind: 'created',
        creation: { way: { kind: 'device', parts: [{ filesystem: 'ext4', whole: null }] } },
      })
      expect(made.out).not.toContain('secret')
      const back = folder.path('back.img')
      const command = [
        'restore',
        '--source',
        target,
        '--target',
        back,
        '--erase',
        '--noprompt',
        '--stdinpass',
      ]
      const restored = await reprise(command, 'secret')
      expect(restored.out).toContain('Restore completed successfully.')
      expect(await hashVolume(ext4, back)).toEqual(before)
    })

    it('makes an image of a folder', async () => {
      await using folder = await temporaryFolder()
      const source = folder.path('Lessons')
      await mkdir(source)
      fillFolder(source)
      const target = folder.path('new.img')
      const made = await reprise(create(target, 'raw', '--folder', source, '--volume-name', 'Physics'))
      expect(made.out).toMatch(/\text4 with 3\d\d files and folders \(\d.*\), made by mke2fs\n/)
      expect(made.status).toBe(0)
      const expected = hashFolder(source)
      const found = await hashVolume(ext4, target)
      for (const [name, hash] of expected) expect([name, found.get(name)]).toEqual([name, hash])
    })
  },
)
