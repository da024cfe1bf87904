import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  announceServer,
  knownManagementPassword,
  managementPassword,
  runningServers,
} from '#engine/multicast/management'

async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-management-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return join(folder, 'data')
}

describe('the management password', () => {
  test('is made once, for nobody else to read', async () => {
    const folder = await newFolder()
    expect(await knownManagementPassword(folder)).toBeNull()
    const [first, second] = await Promise.all([managementPassword(folder), managementPassword(folder)])
    expect([first, await knownManagementPassword(folder)]).toEqual([second, second])
    expect(first).toMatch(/^[\w-]{32}$/)
    expect((await stat(join(folder, 'management-password'))).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['management-password'])
  })

  test('is the one that an administrator wrote there', async () => {
    const folder = await newFolder()
    await mkdir(folder)
    await writeFile(join(folder, 'management-password'), 'my own words\nand a remark\n')
    expect(await managementPassword(folder)).toBe('my own words')
  })

  test('that cannot be read is said, not replaced', async () => {
    const folder = await newFolder()
    await mkdir(join(folder, 'management-password'), { recursive: true })
    await expect(managementPassword(folder)).rejects.toMatchObject({ code: 'E_IO_READ' })
  })
})

describe('the servers that run', () => {
  const server = { address: '127.0.0.1', port: 7800, fingerprint: 'ab'.repeat(32) }

  test('are told of as long as they do', async () => {
    const folder = await newFolder()
    expect(await runningServers(folder)).toEqual([])
    const second = await announceServer(folder, { ...server, port: 7801 })
    const first = await announceServer(folder, server)
    expect(await runningServers(folder)).toEqual([
      { ...server, pid: process.pid },
      { ...server, port: 7801, pid: process.pid },
    ])
    await first[Symbol.asyncDispose]()
    expect(await runningServers(folder)).toMatchObject([{ port: 7801 }])
    await second[Symbol.asyncDispose]()
    expect(await readdir(join(folder, 'servers'))).toEqual([])
  })

  test('are not those that died, nor what else lies there', async () => {
    const folder = await newFolder()
    const path = join(folder, 'servers')
    await mkdir(path, { recursive: true })
    // No process has this number: it is above what any system hands out.
    await writeFile(join(path, '1-1.json'), JSON.stringify({ ...server, pid: 2 ** 30 }))
    await writeFile(join(path, '1-2.json'), '{')
    await writeFile(join(path, '1-3.json'), JSON.stringify({ ...server, pid: process.pid, port: 99_999 }))
    await writeFile(join(path, 'note.txt'), 'hello')
    expect(await runningServers(folder)).toEqual([])
    expect((await readdir(path)).toSorted()).toEqual(['1-2.json', '1-3.json', 'note.txt'])
  })

  test('serve also where nothing can be written', async () => {
    const folder = await newFolder()
    await writeFile(folder, 'a file in its place')
    const told = await announceServer(folder, server)
    await told[Symbol.asyncDispose]()
    expect(await readFile(folder, 'utf8')).toBe('a file in its place')
    expect(await runningServers(folder)).toEqual([])
  })
})
