import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listBounds, listFolder } from '#src/main/ui-host/list-folder.ts'
import { inspectTarget } from '#src/main/ui-host/inspect-target.ts'
import { locateBounds, locateFile } from '#src/main/ui-host/locate-file.ts'
import { isKernelPath, type PlaceOptions } from '#src/main/ui-host/places.ts'

let home: string
let places: PlaceOptions
const neverAborted = new AbortController().signal

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'reprise-files-'))
  places = {
    home,
    workingFolder: join(home, 'work'),
    practiceFolder: join(home, 'practice'),
    mountFolders: [join(home, 'media')],
  }
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

function put(path: string, content: string, modifiedS = 1_000_000): string {
  const full = join(home, path)
  mkdirSync(join(full, '..'), { recursive: true })
  writeFileSync(full, content)
  utimesSync(full, modifiedS, modifiedS)
  return full
}

describe('looking at a place to write to', () => {
  test('tells a file, a folder, nothing, and a folder that is missing', async () => {
    const file = put('old.dmg', '12345')
    expect(await inspectTarget(file)).toMatchObject({ kind: 'file', sizeBytes: 5 })
    expect(await inspectTarget(home)).toMatchObject({ kind: 'folder', sizeBytes: 0 })
    const free = await inspectTarget(join(home, 'new.dmg'))
    expect(free.kind).toBe('nothing')
    expect(free.freeBytes).toBeGreaterThan(0)
    expect(await inspectTarget(join(home, 'lost/new.dmg'))).toMatchObject({
      kind: 'no-folder',
      freeBytes: null,
    })
    expect(await inspectTarget(join(file, 'new.dmg'))).toMatchObject({ kind: 'no-folder' })
  })

  test('takes a link for something that is there, wherever it leads', async () => {
    symlinkSync(join(home, 'nowhere'), join(home, 'link.dmg'))
    expect(await inspectTarget(join(home, 'link.dmg'))).toMatchObject({ kind: 'other' })
  })
})

describe('listing a folder', () => {
  test('shows folders first, then files, by name as people count', async () => {
    for (const name of ['b10.dmg', 'b9.dmg', 'A.dmg', '.hidden']) put(name, 'x')
    mkdirSync(join(home, 'zebra'))
    const listing = await listFolder(null, places)
    expect(listing.folder).toBe(home)
    expect(listing.entries.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'folder zebra',
      'file A.dmg',
      'file b9.dmg',
      'file b10.dmg',
    ])
    expect(listing.entries[1]).toMatchObject({ sizeBytes: 1, modifiedMs: 1_000_000_000 })
  })

  test('offers the places that are there, each once', async () => {
    mkdirSync(join(home, 'Downloads'))
    mkdirSync(join(home, 'media/STICK'), { recursive: true })
    symlinkSync(home, join(home, 'work'))
    const { places: found } = await listFolder(home, places)
    expect(found.map(({ name }) => name)).toEqual(['Home', 'Downloads', 'STICK'])
  })

  test('says when there is more than it lists', async () => {
    for (let count = 0; count < 5; count += 1) put(`${count}.img`, '')
    const listing = await listFolder(home, places, { ...listBounds, maxListed: 3 })
    expect(listing.entries).toHaveLength(3)
    expect(listing.truncated).toBe(true)
    const read = await listFolder(home, places, { ...listBounds, maxRead: 2 })
    expect(read.truncated).toBe(true)
  })

  test('ends with what it has when the time is up, and says that there is more', async () => {
    put('a.img', '')
    await expect(listFolder(home, places, { ...listBounds, maxMs: 0 })).resolves.toMatchObject({
      folder: home,
      truncated: true,
    })
  })

  test('says so, too, of what never answers', async () => {
    put('a.img', '')
    put('dead.img', '')
    const look = (path: string) => (path.endsWith('dead.img') ? new Promise<never>(() => {}) : stat(path))
    const listing = await listFolder(home, places, { ...listBounds, maxMs: 100 }, look)
    expect(listing.entries.map(({ name }) => name)).toEqual(['a.img'])
    expect(listing.truncated).toBe(true)
    expect((await listFolder(home, places, listBounds)).truncated).toBe(false)
  })

  test.each(['/proc', '/sys', '/dev', '/proc/self', '/dev/../proc', '/sys/'])(
    'refuses %s',
    async (folder) => {
      await expect(listFolder(folder, places)).rejects.toMatchObject({ code: 'E_USAGE' })
    },
  )

  test('refuses a link into /proc, and does not list one', async () => {
    symlinkSync('/proc', join(home, 'innocent'))
    symlinkSync('/proc/self/environ', join(home, 'file'))
    await expect(listFolder(join(home, 'innocent'), places)).rejects.toMatchObject({ code: 'E_USAGE' })
    expect((await listFolder(home, places)).entries).toEqual([])
  })

  test.each([
    ['relative/path', 'E_USAGE'],
    ['../..', 'E_USAGE'],
    ['/nowhere/at/all', 'E_NOT_FOUND'],
  ])('refuses %s with %s', async (folder, code) => {
    await expect(listFolder(folder, places)).rejects.toMatchObject({ code })
  })

  test('that a file was named in says which one, hidden or not', async () => {
    const file = put('images/.a.dmg', 'x')
    put('images/b.dmg', 'x')
    const listing = await listFolder(file, places)
    expect(listing).toMatchObject({ folder: join(home, 'images'), file })
    expect(listing.entries.map(({ name }) => name)).toEqual(['b.dmg'])
    expect((await listFolder(join(home, 'images'), places)).file).toBeNull()
  })

  test('takes ~ for the own folder, as a shell does', async () => {
    const file = put('images/a.dmg', 'x')
    expect((await listFolder('~', places)).folder).toBe(home)
    expect((await listFolder('~/', places)).folder).toBe(home)
    expect(await listFolder('~/images/../images/a.dmg', places)).toMatchObject({ file })
    await expect(listFolder('~somebody', places)).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  test('under a file says that it is not there', async () => {
    await expect(listFolder(join(put('a.dmg', ''), 'x'), places)).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    })
  })

  test('of what is neither file nor folder is refused', async () => {
    symlinkSync('/dev/null', join(home, 'null'))
    await expect(listFolder(join(home, 'null'), places)).rejects.toMatchObject({ code: 'E_USAGE' })
    const socket = createServer().listen(join(home, 'socket'))
    await once(socket, 'listening')
    await expect(listFolder(join(home, 'socket'), places)).rejects.toMatchObject({ code: 'E_USAGE' })
    socket.close()
  })

  test('leaves out dangling links and what is neither folder nor file', async () => {
    symlinkSync('/nowhere', join(home, 'dangling'))
    symlinkSync('/dev/null', join(home, 'null'))
    expect((await listFolder(home, places)).entries).toEqual([])
  })

  test('has no parent at the top', async () => {
    expect((await listFolder('/', places)).parent).toBeNull()
    expect((await listFolder(home, places)).parent).toBe(tmpdir())
  })
})

test.each([
  ['/proc', true],
  ['/dev/sda', true],
  ['/device', false],
  ['/home/dev', false],
])('%s is a view into the kernel: %s', (path, expected) => expect(isKernelPath(path)).toBe(expected))

describe('locating a dropped file', () => {
  const headOf = (content: string) =>
    createHash('sha256').update(Buffer.from(content).subarray(0, 65_536)).digest('hex')
  const wanted = (name: string, content: string) => ({
    name,
    sizeBytes: content.length,
    modifiedMs: 1_000_000_400,
    headSha256: headOf(content),
  })
  const locate = (file: ReturnType<typeof wanted>, bounds = locateBounds) =>
    locateFile(file, places, neverAborted, bounds)

  test('finds it by name, size, time and first bytes', async () => {
    const path = put('some/where/a.dmg', 'the content')
    put('other/a.dmg', 'the c0ntent')
    await expect(locate(wanted('a.dmg', 'the content'))).resolves.toBe(path)
  })

  test('finds the nearest of two that are the same', async () => {
    put('far/away/a.dmg', 'same')
    const near = put('near/a.dmg', 'same')
    await expect(locate(wanted('a.dmg', 'same'))).resolves.toBe(near)
  })

  test.each([
    ['another name', { name: 'b.dmg' }],
    ['another size', { sizeBytes: 5 }],
    ['another time', { modifiedMs: 1_000_005_000 }],
    ['other first bytes', { headSha256: '0'.repeat(64) }],
  ])('does not take a file with %s', async (_, change) => {
    put('a.dmg', 'content')
    await expect(locate({ ...wanted('a.dmg', 'content'), ...change })).resolves.toBeNull()
  })

  test('hashes 64 KiB of a larger file', async () => {
    const content = 'x'.repeat(65_536) + 'tail'
    const path = put('a.img', content)
    await expect(locate(wanted('a.img', content))).resolves.toBe(path)
  })

  test.each(['../a.dmg', 'sub/a.dmg', '..', '/etc/passwd'])('takes %s for no name', async (name) => {
    put('sub/a.dmg', 'content')
    await expect(locate({ ...wanted('a.dmg', 'content'), name })).resolves.toBeNull()
  })

  test('follows no links and looks into no hidden folder', async () => {
    put('.cache/a.dmg', 'content')
    symlinkSync(join(home, '.cache'), join(home, 'link'))
    symlinkSync(join(home, '.cache/a.dmg'), join(home, 'a.dmg'))
    await expect(locate(wanted('a.dmg', 'content'))).resolves.toBeNull()
  })

  test('gives up at its bounds', async () => {
    put('1/2/3/a.dmg', 'content')
    const file = wanted('a.dmg', 'content')
    await expect(locate(file, { ...locateBounds, maxDepth: 2 })).resolves.toBeNull()
    await expect(locate(file, { ...locateBounds, maxEntries: 1 })).resolves.toBeNull()
    await expect(locateFile(file, places, AbortSignal.abort())).resolves.toBeNull()
    await expect(locate(file, { ...locateBounds, maxDepth: 3 })).resolves.toContain('1/2/3/a.dmg')
  })
})
