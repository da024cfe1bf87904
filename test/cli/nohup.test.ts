import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { missing } from '#test/needs'
import { programEntry } from '#test/program-entry'
import { startReprise, temporaryFolder } from './run-reprise.ts'

const image = 'x'.repeat(510) + 'U\u00aa'

/** The command of the installed package, with this Node and this program. */
async function installedCommand(path: string): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '../../assets/linux/reprise'), 'utf8')
  await writeFile(
    path,
    text
      .replace('/opt/Reprise/resources/node/bin/node', process.execPath)
      .replace('/opt/Reprise/resources/engine/reprise.js', programEntry),
  )
  return path
}

describe.skipIf(missing('linux'))('the installed command, when its terminal hangs up', () => {
  async function restoreOverHangup(starter: readonly string[]) {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), image, 'latin1')
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const command = [...starter, await installedCommand(folder.path('reprise'))]
    const run = startReprise(argv, null, {}, command)
    await run.said('[ny]: ')
    run.child.kill('SIGHUP')
    run.child.stdin?.end('y\n')
    const { status } = await run.ended
    return { status, target: await readFile(folder.path('d.img'), 'latin1') }
  }

  it('stops', async () => {
    expect(await restoreOverHangup(['sh'])).toEqual({ status: 130, target: 'precious' })
  })

  it('goes on under nohup', async () => {
    expect(await restoreOverHangup(['nohup', 'sh'])).toEqual({ status: 0, target: image })
  })
})
