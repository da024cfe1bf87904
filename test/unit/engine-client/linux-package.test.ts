import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { missing } from '#test/needs'
import { elevatedCommand, engineCommand } from '#src/main/engine-client/engine-command.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, '../../..', file), 'utf8')
const policy = read('assets/linux/io.github.reprise.policy')
const builder = read('electron-builder.yml')

it('asks for the rights to start a script that is where the package puts it', () => {
  const path = /exec\.path">([^<]*)</.exec(policy)?.[1]
  expect(path).toBe('/opt/Reprise/resources/bin/engine-host')
  expect(builder).toContain('- from: assets/linux/engine-host\n    to: bin/engine-host\n')
  // A rule about the first argument leaves the others to whoever asks.
  expect(policy).not.toContain('exec.argv')
})

it.skipIf(missing('linux'))('starts the engine host, whatever arguments that script is given', () => {
  const script = read('assets/linux/engine-host').replace('exec /opt', 'echo /opt')
  const told = execFileSync('/bin/sh', ['-c', script, 'engine-host', 'image', 'convert', 'a', 'b'], {
    encoding: 'utf8',
  })
  expect(told).toBe(
    '/opt/Reprise/resources/node/bin/node /opt/Reprise/resources/engine/reprise.js engine-host\n',
  )
})

it('has a desktop file of the name that its windows tell', () => {
  expect(JSON.parse(read('package.json'))).toMatchObject({ desktopName: 'io.github.reprise.desktop' })
  expect(builder).toContain('syncDesktopName: true')
})

it('starts the same with an administrator’s rights as without, where there is no package', () => {
  expect(elevatedCommand()).toEqual(engineCommand())
})
