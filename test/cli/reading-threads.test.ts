/** How many threads the program reads files with. Node makes them at the first read, and says nothing of them; Linux does. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { missing } from '#test/needs'
import { programEntry } from '#test/program-entry'

const watch = `
import { pbkdf2 } from 'node:crypto'
import { readdirSync, readFileSync, writeSync } from 'node:fs'
process.on('exit', () => {
  pbkdf2('a', 'b', 1, 8, 'sha256', () => undefined)
  const names = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/comm', 'utf8'))
  writeSync(2, String(names.filter((name) => name.startsWith('libuv-worker')).length))
})`

async function threads(given: NodeJS.ProcessEnv): Promise<string> {
  const { UV_THREADPOOL_SIZE: _, ...env } = process.env
  const argv = ['--import', `data:text/javascript,${encodeURIComponent(watch)}`, programEntry, 'version']
  const { stderr } = await promisify(execFile)(process.execPath, argv, { env: { ...env, ...given } })
  return stderr
}

describe.skipIf(missing('linux'))('threads that files are read with', () => {
  it('are so many that a source that does not answer leaves some to others', async () => {
    expect(await threads({})).toBe('16')
  })

  it('are as many as somebody wants', async () => {
    expect(await threads({ UV_THREADPOOL_SIZE: '5' })).toBe('5')
  })
})
