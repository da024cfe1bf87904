import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { formatStreamLocator } from '#shared/model'
import { seededBytes, seededRandom } from '#test/seeded'
import { startStreamServer, type StreamServerDouble } from '#test/stream-server-double'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'
import { reprise, startReprise } from './run-reprise.ts'

const image = seededBytes(seededRandom(4), 6_000_000)
const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

async function setUp(options: { readonly password?: string; readonly dataRate?: number } = {}) {
  const server: StreamServerDouble = await startStreamServer({ image, ...options })
  const folder: TemporaryFolder = await temporaryFolder()
  open.push(server, folder)
  const save = ['restore', '--source', formatStreamLocator(server.locator), '--file']
  return { server, folder, save }
}
const isImage = async (path: string) => Buffer.compare(await readFile(path), image) === 0

describe('reprise restore --source asr://… --file', () => {
  test("saves the image by its own name in a folder, in asr's words", async () => {
    const { folder, save } = await setUp()
    const { out, err, status } = await reprise([...save, folder.path])
    expect(err).toBe('')
    expect(out).toContain('\tRestoring  ....10....20....30....40....50....60....70....80....90....100\n')
    expect(out).toContain('\tVerifying  ....10....20....30....40....50....60....70....80....90....100\n')
    expect(out).toContain(`\tRestored target file is ${join(folder.path, 'lab.dmg')}.\n`)
    expect(status).toBe(0)
    expect(await isImage(join(folder.path, 'lab.dmg'))).toBe(true)
  })

  test('goes on where it was when it was killed', async () => {
    const { server, folder, save } = await setUp({ dataRate: 1.5e6 })
    const path = join(folder.path, 'out.dmg')
    const first = startReprise([...save, path])
    await first.said('....40')
    first.child.kill('SIGKILL')
    await first.ended
    expect(await readdir(folder.path)).toEqual(['out.dmg.part'])
    const before = server.heard.length
    const second = await reprise([...save, path])
    expect(second.status).toBe(0)
    expect(await isImage(path)).toBe(true)
    expect(await readdir(folder.path)).toEqual(['out.dmg'])
    const reports = server.heard.slice(before).filter((message) => message.kind === 'report')
    expect(reports[0]?.blocksDone).toBeGreaterThan(10)
  })

  test('keeps what came when it is interrupted, and says so', async () => {
    const { folder, save } = await setUp({ dataRate: 1.5e6 })
    const running = startReprise([...save, join(folder.path, 'out.dmg')])
    await running.said('....20')
    running.child.kill('SIGINT')
    const { err, status } = await running.ended
    expect(status).toBe(130)
    expect(err).toContain('What came so far is kept')
    expect(await readdir(folder.path)).toEqual(['out.dmg.part'])
  })

  test('takes the password from standard input', async () => {
    const { folder, save } = await setUp({ password: 'open sesame' })
    const path = join(folder.path, 'out.dmg')
    const wrong = await reprise([...save, path, '--stdinpass'], 'abracadabra')
    expect(wrong.err).toContain('(E_MC_PASSWORD)')
    expect(wrong.status).toBe(1)
    const right = await reprise([...save, path, '--stdinpass'], 'open sesame')
    expect(right.err).toBe('')
    expect(right.status).toBe(0)
    expect(await isImage(path)).toBe(true)
  })

  test('says that nobody answers, and what to do', async () => {
    const { server, folder, save } = await setUp()
    await server[Symbol.asyncDispose]()
    const { err, status } = await reprise([...save, folder.path])
    expect(err).toContain('Nobody answers at that port.')
    expect(status).toBe(1)
  })
})
