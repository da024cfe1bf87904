/** `reprise server` as a process, with `reprise restore` as its client. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeConfiguration } from '#engine/multicast/configuration'
import type { ServerConfiguration } from '#shared/model'
import { buildUdif } from '#test/build-udif'
import { labImage, type LabImage } from '#test/lab-image'
import { freePort, sessionSettings } from '#test/real-stream-server'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'
import { reprise, startReprise } from './run-reprise.ts'

let folder: TemporaryFolder
let image: LabImage
beforeAll(async () => {
  folder = await temporaryFolder()
  image = await labImage(folder, { megabytes: 4 })
})
afterAll(() => folder[Symbol.asyncDispose]())

async function setUp(change: Partial<ServerConfiguration> = {}) {
  const port = await freePort()
  const { configuration } = sessionSettings({ source: '', configuration: { port, ttl: 3, ...change } })
  const path = await folder.write(`${port}.plist`, encodeConfiguration(configuration))
  const environment = { REPRISE_DATA: join(folder.path, `data ${port}`) }
  const serve = (config = path) =>
    startReprise(['server', '--source', image.path, '--config', config, '--interface', 'lo'], '', environment)
  return { port, path, environment, serve }
}

describe('reprise server', () => {
  test("streams an image, in asr's words, and ends well when it is interrupted", async () => {
    const { port, environment, serve } = await setUp()
    const server = serve()
    await server.said('Ready to start accepting clients\n')
    const saved = join(folder.path, 'saved.dmg')
    const client = await reprise(
      ['restore', '--source', `asr://127.0.0.1:${port}`, '--file', saved],
      '',
      environment,
    )
    expect(client).toMatchObject({ status: 0, err: '' })
    expect(Buffer.compare(await readFile(saved), image.bytes)).toBe(0)
    server.child.kill('SIGINT')
    const { status, out, err } = await server.ended
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(
      /Port: \d+\n(Reading image {2}.*\n)?Ready to start accepting clients\nStarting stream [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\nThe stream has ended for everyone\.\n$/,
    )
  })

  test('tells its clients at once when it is interrupted', async () => {
    const { port, environment, serve } = await setUp({ dataRate: 100_000 })
    const server = serve()
    await server.said('Ready to start accepting clients\n')
    const saved = join(folder.path, 'never.dmg')
    const client = startReprise(
      ['restore', '--source', `asr://127.0.0.1:${port}`, '--file', saved],
      '',
      environment,
    )
    await server.said('Starting stream')
    server.child.kill('SIGTERM')
    expect((await server.ended).status).toBe(0)
    const { status, err } = await client.ended
    expect(status).toBe(1)
    expect(err).toContain('(E_MC_ENDED)')
  })

  test('names whoever has the port', async () => {
    const { path, port, serve } = await setUp()
    const first = serve()
    await first.said('Ready to start accepting clients\n')
    const second = await reprise(['server', '-s', image.path, '--config', path, '--interface', 'lo'], '', {
      REPRISE_DATA: join(folder.path, 'other data'),
    })
    expect(second.status).toBe(1)
    expect(second.err).toMatch(new RegExp(`^Port ${port} is used by node \\(\\d+\\)\\. \\(E_MC_PORT\\)\n`))
    first.child.kill('SIGINT')
    await first.ended
  })

  test('refuses what can not be streamed, and says what helps', async () => {
    const { path, environment } = await setUp()
    const raw = await folder.write('raw.img', Buffer.alloc(1024 * 1024))
    const bad = await folder.write('bad.plist', (await readFile(path, 'utf8')).replace('239.255.', '24.255.'))
    const attempt = async (source: string, config: string) => {
      const argv = ['server', '--source', source, '--config', config, '--interface', 'lo']
      const { status, err } = await reprise(argv, '', environment)
      expect(status).toBe(1)
      return err
    }
    expect(await attempt(raw, path)).toContain('reprise image convert')
    const run = { kind: 'raw', sectors: 8, data: new Uint8Array(4096).fill(7) } as const
    const byAsr = await folder.write('by-asr.dmg', buildUdif({ tables: [{ runs: [run] }] }).bytes)
    const refusal = await attempt(byAsr, path)
    expect(refusal).toContain(
      "'by-asr.dmg' was scanned by another program, and not by Reprise. (E_SRC_NOSCAN)",
    )
    expect(refusal).toContain(`Scan it with Reprise: reprise imagescan --source ${byAsr}.`)
    expect(await attempt(image.path, bad)).toContain(
      'must be from 224.0.2.0 to 239.255.255.255. (E_MC_CONFIG)',
    )
    expect(await attempt(image.path, '/nosuch')).toContain('(E_NOT_FOUND)')
  })
})
