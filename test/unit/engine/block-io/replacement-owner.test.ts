import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nameTogether, openReplacementFile, openReplacementFolder } from '#engine/block-io'
import { createFileSink } from '#src/main/engine/block-io/file-sink.ts'
import { SegmentPart } from '#src/main/engine/convert/segment-part.ts'
import { missing } from '#test/needs'

/** Nobody, whom every system has. */
const nobody = 65_534

let folder: string
/** Somebody's folder, in which they can rename what they like. */
let home: string
/** A file that is only root's. */
let secret: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-replacement-'))
  home = join(folder, 'home')
  secret = join(folder, 'shadow')
  mkdirSync(home)
  writeFileSync(secret, 'root:', { mode: 0o600 })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const hiddenIn = (path: string) => join(path, readdirSync(path).find((name) => name.endsWith('.part')) ?? '')

/** What was hidden is moved away, and a link is in its place. */
function swap(hidden: string, leadsTo: string): void {
  renameSync(hidden, join(home, 'moved'))
  symlinkSync(leadsTo, hidden)
}

const owned = (path: string) => {
  const { uid, gid, mode } = statSync(path)
  return [uid, gid, mode & 0o7777]
}

describe('a file that replaces another', () => {
  test('has its permissions before anybody looks at it', async () => {
    const path = join(home, 'lab.dmg')
    writeFileSync(path, 'old')
    chmodSync(path, 0o640)
    await using file = await openReplacementFile(path, { mode: 'replace' })
    await file.write(Buffer.from('new!'), 0)
    expect(statSync(hiddenIn(home)).mode & 0o777).toBe(0o600)
    await file.commit(4, async (hidden) => expect(statSync(hidden).mode & 0o7777).toBe(0o640))
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o7777]).toEqual(['new!', 0o640])
    expect(readdirSync(home)).toEqual(['lab.dmg'])
  })

  test('is not replaced by what somebody put at its hidden name', async () => {
    const path = join(home, 'lab.dmg')
    writeFileSync(path, 'old')
    await using file = await openReplacementFile(path, { mode: 'replace' })
    await file.write(Buffer.from('new!'), 0)
    await expect(file.commit(4, async (hidden) => swap(hidden, secret))).rejects.toMatchObject({
      code: 'E_DST_CHANGED',
      details: { path },
    })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(lstatSync(path).isFile()).toBe(true)
  })
})

describe('a segment that was put down', () => {
  // FAT and exFAT number a file anew when it was forgotten meanwhile, which of many segments the first ones are.
  test('is gone on with where its file system has given it another number', async () => {
    const segment = await SegmentPart.create(join(home, 'lab.dmg'), { password: null, like: null })
    await segment.write(Buffer.from('some data'), 0)
    await segment.putDown()
    copyFileSync(segment.hidden, join(home, 'other'))
    renameSync(join(home, 'other'), segment.hidden)
    await segment.finish(4)
    const path = join(home, 'lab.dmg')
    await nameTogether([{ hidden: segment.hidden, path, made: segment.made }], {
      mode: 'create',
      alsoOld: [],
    })
    expect(readFileSync(path, 'utf8')).toBe('some')
  })
})

describe('a new file that is written by its descriptor', () => {
  test('closes no other that has the same number by now', async () => {
    const path = join(home, 'lab.dmg')
    const fd = openSync(path, 'wx+')
    const sink = createFileSink(fd, path)
    await sink[Symbol.asyncDispose]()
    const next = openSync(secret, 'r')
    try {
      expect(next).toBe(fd)
      await sink[Symbol.asyncDispose]()
      expect(fstatSync(next).isFile()).toBe(true)
    } finally {
      closeSync(next)
    }
  })
})

describe.skipIf(missing('root', 'linux'))('what root replaces in the folder of somebody else', () => {
  beforeEach(() => chownSync(home, nobody, nobody))
  const theirs = (name: string) => {
    const path = join(home, name)
    writeFileSync(path, 'old')
    chownSync(path, nobody, nobody)
    chmodSync(path, 0o666)
    return path
  }

  test('stays theirs', async () => {
    const path = theirs('lab.dmg')
    await using file = await openReplacementFile(path, { mode: 'replace' })
    await file.write(Buffer.from('new!'), 0)
    await file.commit(4)
    expect(owned(path)).toEqual([nobody, nobody, 0o666])
  })

  test('gives them no file that they put a link to in its place', async () => {
    const path = theirs('lab.dmg')
    await using file = await openReplacementFile(path, { mode: 'replace' })
    await file.write(Buffer.from('new!'), 0)
    await expect(file.commit(4, async (hidden) => swap(hidden, secret))).rejects.toThrow()
    expect(owned(secret)).toEqual([0, 0, 0o600])
  })

  test('gives them no folder that they put a link to in its place', async () => {
    const path = join(home, 'lab.sparsebundle')
    mkdirSync(path)
    chownSync(path, nobody, nobody)
    const rootFolder = join(folder, 'root')
    mkdirSync(rootFolder, { mode: 0o700 })
    await using made = await openReplacementFolder(path, { mode: 'replace', isReplaceable: async () => true })
    swap(made.path, rootFolder)
    await expect(made.commit()).rejects.toMatchObject({ code: 'E_DST_CHANGED' })
    expect(owned(rootFolder)).toEqual([0, 0, 0o700])
    expect(lstatSync(path).isDirectory()).toBe(true)
  })

  test('stays theirs, if it is a folder', async () => {
    const path = join(home, 'lab.sparsebundle')
    mkdirSync(path)
    chownSync(path, nobody, nobody)
    chmodSync(path, 0o750)
    await using made = await openReplacementFolder(path, { mode: 'replace', isReplaceable: async () => true })
    await made.commit()
    expect(owned(path)).toEqual([nobody, nobody, 0o750])
    expect(existsSync(made.path)).toBe(false)
  })

  test('does not write through a link in the place of a segment that was put down', async () => {
    const like = { uid: nobody, gid: nobody, mode: 0o640 }
    const segment = await SegmentPart.create(join(home, 'lab.dmg'), { password: null, like })
    await segment.write(Buffer.from('some data'), 0)
    await segment.putDown()
    swap(segment.hidden, secret)
    await expect(segment.finish(4)).rejects.toMatchObject({ code: 'E_DST_CHANGED' })
    await segment.remove()
    expect(readFileSync(secret, 'utf8')).toBe('root:')
    expect(owned(secret)).toEqual([0, 0, 0o600])
  })

  test('takes no second name of a file of root for a segment that was put down', async () => {
    const segment = await SegmentPart.create(join(home, 'lab.dmg'), { password: null, like: null })
    await segment.write(Buffer.from('some data'), 0)
    await segment.putDown()
    rmSync(segment.hidden)
    linkSync(secret, segment.hidden)
    await expect(segment.finish(4)).rejects.toMatchObject({ code: 'E_DST_CHANGED' })
    await segment.remove()
    expect(readFileSync(secret, 'utf8')).toBe('root:')
  })

  test('stays theirs, if it is a segment', async () => {
    const like = { uid: nobody, gid: nobody, mode: 0o640 }
    const segment = await SegmentPart.create(join(home, 'lab.dmg'), { password: null, like })
    await segment.write(Buffer.from('some data'), 0)
    expect(owned(segment.hidden)).toEqual([0, 0, 0o600])
    await segment.finish(4)
    expect(owned(segment.hidden)).toEqual([nobody, nobody, 0o640])
    await segment.remove()
  })
})
