import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildLab, type LabMachine } from '#test/lab-network'
import { labImage } from '#test/lab-image'
import { sourceProgram } from '#test/lab-stream'
import { missing } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'

/** `reprise session …` as it is typed on a machine of the lab, whose data folder is `data`. */
const sessions = (machine: LabMachine, data: string) => {
  const env = { REPRISE_DATA: data }
  const argv = (words: string) => [...sourceProgram, 'session', ...words.split(' ')]
  return {
    start: (words: string) => machine.start(argv(words), { env }),
    /** To its end: its status, then all it said. `stdin`: what is piped into it. */
    async run(words: string, stdin: string | null = null) {
      const shell = ['sh', '-c', 'file=$1; shift; exec "$@" < "$file"', 'sh']
      const file = join(data, '..', 'stdin')
      writeFileSync(file, stdin ?? '')
      const { status, text } = await machine.start([...shell, file, ...argv(words)], { env }).ended
      return `${status} ${text}`
    },
  }
}

describe.skipIf(missing('lab'))('sessions', () => {
  it('are started, seen, changed and ended, here and from another computer', async () => {
    await using folder = await temporaryFolder()
    await using lab = await buildLab({ clients: 1 })
    const image = await labImage(folder, { megabytes: 2 })
    const here = sessions(lab.server, join(folder.path, 'server'))
    const client = lab.clients[0]!
    const there = sessions(client, join(folder.path, 'client'))
    const elsewhere = '--server 10.77.0.1 --password-stdin'

    expect(await here.run('list')).toBe('0 No server of sessions runs on this computer.\n')
    // The password comes by a file: `start` keeps its own standard input.
    const secret = join(folder.path, 'secret')
    writeFileSync(secret, 'lab secret')
    const server = lab.server.start(
      [
        ...['sh', '-c', 'file=$1; shift; exec "$@" < "$file"', 'sh', secret, ...sourceProgram],
        ...['session', 'start', '--source', image.path, '--name', 'lab', '--clients', '2'],
        ...['--delete-when-finished', '--password-stdin'],
      ],
      { env: { REPRISE_DATA: join(folder.path, 'server') } },
    )
    await server.said('Ready to start accepting clients')
    expect(await here.run('list')).toMatch(/^0 SESSION.*\nlab +lab\.dmg .* 0 of 2 joined +asr:/)

    // A second one goes to the server that runs, and before the first.
    const second = await here.run(`start --source ${image.path} --name second --by-hand --precedence 1`)
    expect(second).toMatch(/^0 second: /)
    await expect.poll(() => here.run('list')).toMatch(/second .* 0 joined, starts by hand[^]*lab /)

    // One client is here, and the other place is waited for in vain.
    const file = join(folder.path, 'received.dmg')
    const receiving = client.start(
      [
        ...['sh', '-c', 'file=$1; shift; exec "$@" < "$file"', 'sh', secret, ...sourceProgram],
        ...['restore', '--source', 'asr://10.77.0.1/lab', '--file', file, '--stdinpass'],
      ],
      { env: { REPRISE_DATA: join(folder.path, 'client') } },
    )
    await expect.poll(() => there.run('list --server 10.77.0.1')).toMatch(/lab .* 1 of 2 joined\n/)
    await expect.poll(() => there.run('list --discover --seconds 1')).toMatch(/\nlab .*\nsecond /)

    // Its password shows the session from elsewhere, and nothing else.
    expect(await there.run(`status lab ${elsewhere}`, 'lab secret')).toMatch(/^0 lab: 1 of 2 joined\n/)
    expect(await there.run(`status second ${elsewhere}`, 'lab secret')).toMatch(/^1 .*E_MC_PASSWORD/)
    expect(await there.run(`status lab ${elsewhere}`, 'wrong')).toMatch(/^1 .*E_MC_PASSWORD/)
    expect(await there.run(`start-now lab ${elsewhere}`, 'lab secret')).toMatch(/^1 .*E_MC_RIGHTS/)

    expect(await here.run('set-rate lab --data-rate 20000000')).toMatch(/^0 /)
    expect(await here.run('start-now lab')).toBe('0 The session lab has begun.\n')
    expect((await receiving.ended).status).toBe(0)
    expect(await readFile(file)).toEqual(image.bytes)

    // All who joined have it: the session ends by itself. The server's password ends the other; then the server is done.
    await expect.poll(() => here.run('list')).not.toMatch(/lab .* joined/)
    const password = await readFile(join(folder.path, 'server/multicast/management-password'), 'utf8')
    expect(await there.run(`stop second ${elsewhere}`, password)).toBe('0 The session second has ended.\n')
    expect((await server.ended).status).toBe(0)
    expect(await here.run('list')).toBe('0 No server of sessions runs on this computer.\n')
  })

  it('of a server that was killed are no longer found', async () => {
    await using folder = await temporaryFolder()
    await using lab = await buildLab({ clients: 1 })
    const image = await labImage(folder, { megabytes: 1 })
    const here = sessions(lab.server, join(folder.path, 'server'))
    const there = sessions(lab.clients[0]!, join(folder.path, 'client'))
    const server = here.start(`start --source ${image.path}`)
    await server.said('Ready to start accepting clients')
    await expect.poll(() => there.run('list --discover --seconds 1')).toContain('asr://10.77.0.1/lab')
    server.kill('SIGKILL')
    await server.ended
    expect(await there.run('list --discover --seconds 1')).toBe('0 No streams were found on the network.\n')
    expect(await here.run('list')).toBe('0 No server of sessions runs on this computer.\n')
    expect(await here.run('stop lab')).toMatch(/^1 .*E_MC_NOSERVER/)
  })
})
