import { describe, expect, it } from 'vitest'
import {
  convertDraft,
  createDraft,
  draftBytes,
  draftFrom,
  draftPath,
  draftProblem,
  draftTask,
  nameFor,
  sizeDraft,
  type ImageDraft,
} from '#src/renderer/store/image-draft.ts'
import { sandisk, systemImage } from '#test/ui-fixtures'

const convert = (change: Partial<ImageDraft> = {}): ImageDraft => ({
  ...convertDraft(systemImage.path, systemImage, systemImage.name, '/home/ann'),
  ...change,
})
const blank = (change: Partial<ImageDraft> = {}): ImageDraft => ({
  ...createDraft('blank', null, '/home/ann'),
  ...change,
})

describe('a name', () => {
  it('ends as its format does', () => {
    expect(nameFor('System.dmg', 'raw')).toBe('System.img')
    expect(nameFor('disk.img.xz', 'UDZO')).toBe('disk.dmg')
    expect(nameFor('v1.2', 'UDSP')).toBe('v1.2.sparseimage')
    expect(nameFor('  ', 'UDZO')).toBe('')
  })

  it('is another one where the copy lies beside the original', () => {
    expect(draftPath(convert())).toBe('/home/ann/Images/ModularSystem converted.dmg')
  })

  it('follows what the image is made of, until the person gives one', () => {
    const draft = createDraft('folder', null, '/home/ann')
    expect(draftFrom(draft, '/srv/lab', 'lab').name).toBe('lab.dmg')
    expect(draftFrom({ ...draft, name: 'mine.dmg', named: true }, '/srv/lab', 'lab').name).toBe('mine.dmg')
  })
})

describe('a size', () => {
  it('is decimal, and whole blocks', () => {
    expect(draftBytes({ figure: '20', unit: 'GB' })).toBe(20_000_002_048)
    expect(draftBytes({ figure: '4,7', unit: 'GB' })).toBe(4_700_000_256)
    expect(draftBytes({ figure: '1', unit: 'MB' })).toBe(1_003_520)
  })

  it('is none where the figure is none', () => {
    const figures = ['', '0', '-1', '1e9', 'x', '1.2345', '99999999']
    expect(figures.map((figure) => draftBytes({ figure, unit: 'GB' }))).toEqual(figures.map(() => null))
  })

  it('is none where no image could be so large', () => {
    expect(draftBytes({ figure: '9007', unit: 'TB' })).toBe(9_007_000_000_000_000)
    expect(draftBytes({ figure: '9008', unit: 'TB' })).toBeNull()
    expect(draftBytes({ figure: '999999', unit: 'TB' })).toBeNull()
  })

  it('is written in the unit that fits', () => {
    expect(sizeDraft(20e9)).toEqual({ figure: '20', unit: 'GB' })
    expect(sizeDraft(1_474_560)).toEqual({ figure: '1.475', unit: 'MB' })
  })
})

describe('what keeps a draft from being started', () => {
  it.each<[string, ImageDraft, string | null]>([
    ['nothing', convert(), null],
    ['no name', convert({ name: ' ' }), 'no-name'],
    ['a path for a name', convert({ name: 'a/b.dmg' }), 'bad-name'],
    ['no folder', convert({ folder: '' }), 'no-folder'],
    ['the image itself', convert({ name: systemImage.name }), 'same-file'],
    ['segments without a size', convert({ segments: { figure: '', unit: 'MB' } }), 'no-segments'],
    [
      'segments of a format that has none',
      convert({ format: 'raw', segments: { figure: '', unit: 'MB' } }),
      null,
    ],
    ['no password', convert({ encryption: { password: '', again: '' } }), 'no-password'],
    ['two passwords', convert({ encryption: { password: 'a', again: 'b' } }), 'passwords-differ'],
    ['no size', blank({ size: { figure: 'much', unit: 'GB' } }), 'no-size'],
    ['no device', createDraft('device', null, '/home/ann'), 'no-from'],
  ])('%s', (_, draft, problem) => {
    expect(draftProblem(draft)?.kind ?? null).toBe(problem)
  })
})

describe('the task of a draft', () => {
  it('converts, with a level only where the format has levels', () => {
    const draft = convert({ format: 'ULFO', level: 9, segments: { figure: '650', unit: 'MB' } })
    expect(draftTask(draft, { erase: true })).toEqual({
      kind: 'convert',
      source: systemImage.path,
      target: '/home/ann/Images/ModularSystem converted.dmg',
      format: 'ULFO',
      level: null,
      erase: true,
      segmentBytes: 650_002_432,
      encryption: null,
    })
    expect(draftTask(convert({ level: 9 }), { erase: false })).toMatchObject({ level: 9, segmentBytes: null })
  })

  it('makes a blank image', () => {
    const draft = blank({ volumeName: ' Work ', encryption: { password: 'x', again: 'x' } })
    expect(draftTask(draft, { erase: false })).toMatchObject({
      kind: 'create',
      volumeName: 'Work',
      encryption: { password: 'x' },
      from: { kind: 'blank', partitionMap: 'gpt', filesystem: 'ext4' },
    })
  })

  it('makes one of a folder and of a device', () => {
    const folder = draftFrom(createDraft('folder', null, '/home/ann'), '/srv/lab', 'lab')
    expect(draftTask(folder, { erase: false })).toMatchObject({
      target: '/home/ann/lab.dmg',
      volumeName: null,
      from: { kind: 'folder', path: '/srv/lab' },
    })
    const device = createDraft('device', { kind: 'disk', disk: sandisk }, '/home/ann')
    expect(draftTask(device, { erase: false })).toMatchObject({
      target: '/home/ann/SanDisk Ultra.dmg',
      from: { kind: 'device', path: '/dev/sdb' },
    })
  })
})
