import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { missing } from '#test/needs'
import { WorkerThread } from '#engine/threads'

const folder = mkdtempSync(join(tmpdir(), 'reprise-threads-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the module does, `port` and `order` being there. */
function start(order: string, options: { readonly mayFinish?: boolean } = {}) {
  const path = join(folder, `${crypto.randomUUID()}.mjs`)
  writeFileSync(
    path,
    `import { parentPort as port, workerData } from 'node:worker_threads'
    port.on('message', (order) => { ${order} })`,
  )
  const answers = Promise.withResolvers<unknown>()
  const crashed = Promise.withResolvers<unknown>()
  const crashes: unknown[] = []
  const thread = new WorkerThread<unknown, unknown>(pathToFileURL(path), {
    name: 'test',
    data: { a: 1 },
    onAnswer: answers.resolve,
    onCrash: (error) => {
      crashes.push(error)
      crashed.resolve(error)
    },
    ...options,
  })
  return { thread, answer: answers.promise, crash: crashed.promise, crashes }
}

describe('a thread', () => {
  it('answers, and leaves when it is told to', async () => {
    const { thread, answer, crashes } = start(
      'if (order === null) port.close(); else port.postMessage([order, workerData])',
    )
    thread.send('go')
    expect(await answer).toEqual(['go', { a: 1 }])
    await thread.leave()
    expect(crashes).toEqual([])
  })

  it('is ended when it does not leave, and that is no crash', async () => {
    const { thread, answer, crashes } = start('if (order !== null) { port.postMessage(0); for (;;); }')
    thread.send('hang')
    await answer
    const began = performance.now()
    await thread.leave()
    expect(performance.now() - began).toBeLessThan(2000)
    expect(crashes).toEqual([])
  })

  it.skipIf(missing('linux'))('is left to itself when it hangs in a read that has no answer', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const { thread, answer, crashes } = start(
      `if (order !== null) { port.postMessage(0); process.getBuiltinModule('node:fs').openSync(${JSON.stringify(pipe)}, 'r') }`,
    )
    thread.send('hang')
    await answer
    try {
      await thread.leave()
      expect(crashes).toEqual([])
    } finally {
      // Whoever opens the other end lets it go.
      closeSync(openSync(pipe, constants.O_RDWR))
    }
  })

  it('tells once what it threw', async () => {
    const { thread, crash, crashes } = start("throw new RangeError('no such thing')")
    thread.send('go')
    expect(String(await crash)).toContain('no such thing')
    await thread.leave()
    expect(crashes).toHaveLength(1)
  })

  it('that ends without having been told to has crashed, unless that is how it is done', async () => {
    const { thread, crash } = start('port.close()')
    thread.send('go')
    expect(await crash).toMatchObject({ code: 'E_BUG', details: { exitCode: 0 } })
    const done = start('port.close()', { mayFinish: true })
    done.thread.send('go')
    await done.thread.leave()
    expect(done.crashes).toEqual([])
  })
})
