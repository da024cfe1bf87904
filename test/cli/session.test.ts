import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildLab, type LabMachine } from '#test/lab-network'
import { labImage } from '#test/lab-image'
import { testedProgram } from '#test/lab-stream'
import { missing } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'

/** Reprise as it is typed on a machine of the lab, whose data folder is `data`. */
const reprise = (machine: LabMachine, data: string) => {
  const env = { REPRISE_DATA: data }
  const shell = ['sh', '-c', 'file=$1; shift; exec "$@" < "$file"', 'sh'] as const
  /** `stdin`: what is piped into it. */
  const start = (words: string, stdin = '') => {
    const file = join(data, '..', `stdin-${counted++}`)
    writeFileSync(file, stdin)
    return machine.start([...shell, file, ...testedProgram, ...words.split(' ')], { env })
  }
  /** To its end: its status, then all it said. */
  const session = async (words: string, stdin?: string) => {
    const { status, text } = await start(`session ${words}`, stdin).ended
    return `${status} ${text}`
  }
  return { start, session }
}
let counted = 0

describe.skipIf(missing('lab'))('sessions', () => {
  it('are started, seen, changed and ended, here and from another computer', async () => {
    await using folder = await temporaryFolder()
    await using lab = await buildLab({ clients: 1 })
    const image = await labImage(folder, { megabytes: 2 })
    const here = reprise(lab.server, join(folder.path, 'server'))
    const there = reprise(lab.clients[0]!, join(folder.path, 'client'))
    const elsewhere = '--server 10.77.0.1 --password-stdin'

    expect(await here.session('list')).toBe('0 No server of sessions runs on this computer.\n')
    const server = here.start(
      `session start --source ${image.path} --name lab --clients 2 --delete-when-finished --password-stdin`,
      'lab secret',
    )
    await server.said('Ready to start accepting clients')
    expect(await here.session('list')).toMatch(/^0 SESSION.*\nlab +lab\.dmg .* 0 of 2 joined +asr:/)

    // A second one goes to the server that runs, and before the first.
    const second = await here.session(`start --source ${image.path} --name second --by-hand --precedence 1`)
    expect(second).toMatch(/^0 second: /)
    await expect.poll(() => here.session('list')).toMatch(/second .* 0 joined, starts by hand[^]*lab /)

    // One client is here, and the other place is waited for in vain.
    const file = join(folder.path, 'received.dmg')
    const receiving = there.start(
      `restore --source asr://10.77.0.1/lab --file ${file} --stdinpass`,
      'lab secret',
    )
    await expect.poll(() => there.session('list --server 10.77.0.1')).toMatch(/lab .* 1 of 2 joined\n/)
    await expect.poll(() => there.session('list --discover --seconds 1')).toMatch(/\nlab .*\nsecond /)

    // Its password shows the session from elsewhere, and nothing else.
    expect(await there.session(`status lab ${elsewhere}`, 'lab secret')).toMatch(/^0 lab: 1 of 2 joined\n/)
    expect(await there.session(`status second ${elsewhere}`, 'lab secret')).toMatch(/^1 .*E_MC_PASSWORD/)
    const list = await there.session(`list ${elsewhere}`, 'lab secret')
    expect(list).toMatch(/^0 SESSION[^\n]*\nlab [^\n]*\n$/)
    expect(await there.session(`status lab ${elsewhere}`, 'wrong')).toMatch(/^1 .*E_MC_PASSWORD/)
    expect(await there.session(`start-now lab ${elsewhere}`, 'lab secret')).toMatch(/^1 .*E_MC_RIGHTS/)

    expect(await here.session('set-rate lab --data-rate 20000000')).toMatch(/^0 /)
    expect(await here.session('start-now lab')).toBe('0 The session lab has begun.\n')
    expect((await receiving.ended).status).toBe(0)
    expect(await readFile(file)).toEqual(image.bytes)

    // All who joined have it: the session ends by itself. The server's password ends the other; then the server is done.
    await expect.poll(() => here.session('list')).not.toMatch(/lab .* joined/)
    const password = await readFile(join(folder.path, 'server/multicast/management-password'), 'utf8')
    expect(await there.session(`stop second ${elsewhere}`, password)).toBe(
      '0 The session second has ended.\n',
    )
    expect((await server.ended).status).toBe(0)
    expect(await here.session('list')).toBe('0 No server of sessions runs on this computer.\n')
  })

  it('of a server that was killed are no longer found', async () => {
    await using folder = await temporaryFolder()
    await using lab = await buildLab({ clients: 1 })
    const image = await labImage(folder, { megabytes: 1 })
    const here = reprise(lab.server, join(folder.path, 'server'))
    const there = reprise(lab.clients[0]!, join(folder.path, 'client'))
    const server = here.start(`session start --source ${image.path}`)
    await server.said('Ready to start accepting clients')
    await expect.poll(() => there.session('list --discover --seconds 1')).toContain('asr://10.77.0.1/lab')
    server.kill('SIGKILL')
    await server.ended
    expect(await there.session('list --discover --seconds 1')).toBe(
      '0 No streams were found on the network.\n',
    )
    expect(await here.session('list')).toBe('0 No server of sessions runs on this computer.\n')
    expect(await here.session('stop lab')).toMatch(/^1 .*E_MC_NOSERVER/)
  })
})
