import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rows } from '#scripts/layers.ts'

/**
 * Plants forbidden imports in a copy of the tree's skeleton (doors only), one file for each row of the table, and lets
 * the real linter with the real configuration look at it.
 */

const root = join(import.meta.dirname, '../..')
const temporary = mkdtempSync(join(tmpdir(), 'reprise-layers-'))
const tells = new Map<string, string[]>()

/** The specifiers that must be caught in a row's folder, and some that must not. */
function plan(row: (typeof rows)[number]): { bad: string[]; good: string[] } {
  return {
    bad: [
      '../elsewhere.ts',
      '#src/main/reprise.ts',
      '#main/new-room',
      ...(row.may.some((door) => door.test('engine/new-room')) ? [] : ['#engine/new-room']),
      ...(row.may.some((door) => door.test('renderer/new-room')) ? [] : ['#renderer/new-room']),
      row.packages.includes('electron') ? 'react' : 'electron',
      ...(row.node ? [] : ['node:fs', 'node:fs/promises']),
    ],
    good: ['./beside.ts', ...row.packages, ...(row.node ? ['node:fs/promises'] : [])],
  }
}

const folderOf = (row: (typeof rows)[number]) => row.files.replace('/**', '/inner')

beforeAll(() => {
  for (const name of ['package.json', 'oxlint.config.ts', 'scripts/layers.ts', 'tsconfig.json']) {
    cpSync(join(root, name), join(temporary, name))
  }
  symlinkSync(join(root, 'node_modules'), join(temporary, 'node_modules'))
  for (const door of globSync('src/**/index.ts', { cwd: root })) {
    mkdirSync(join(temporary, dirname(door)), { recursive: true })
    writeFileSync(join(temporary, door), 'export {}\n')
  }
  for (const room of ['src/main', 'src/main/engine', 'src/renderer']) {
    mkdirSync(join(temporary, room, 'new-room'), { recursive: true })
    writeFileSync(join(temporary, room, 'new-room/index.ts'), 'export {}\n')
  }
  for (const row of rows) {
    const folder = join(temporary, folderOf(row))
    mkdirSync(folder, { recursive: true })
    const lines = (specifiers: string[]) =>
      specifiers.map((specifier, index) => `export * as planted${index} from '${specifier}'\n`).join('')
    writeFileSync(join(folder, 'bad.ts'), lines(plan(row).bad))
    writeFileSync(join(folder, 'good.ts'), lines(plan(row).good))
  }
  const output = lint()
  for (const { filename, message, code } of output.diagnostics) {
    if (code.includes('no-restricted-imports')) tells.set(filename, [...(tells.get(filename) ?? []), message])
  }
})

afterAll(() => rmSync(temporary, { recursive: true, force: true }))

function lint(): { diagnostics: { filename: string; message: string; code: string }[] } {
  const argv = ['node_modules/oxlint/bin/oxlint', '-c', 'oxlint.config.ts', '--format=json', 'src']
  try {
    return JSON.parse(execFileSync(process.execPath, argv, { cwd: temporary, encoding: 'utf8' }))
  } catch (error) {
    return JSON.parse((error as { stdout: string }).stdout)
  }
}

describe('the layers', () => {
  it.each(rows.map((row) => [row.files, row] as const))('%s: catches every forbidden import', (_, row) => {
    const messages = tells.get(`${folderOf(row)}/bad.ts`) ?? []
    const missed = plan(row).bad.filter(
      (specifier) => !messages.some((message) => message.includes(`'${specifier}'`)),
    )
    expect(missed).toEqual([])
  })

  it.each(rows.map((row) => [row.files, row] as const))('%s: lets the allowed ones through', (_, row) => {
    expect(tells.get(`${folderOf(row)}/good.ts`) ?? []).toEqual([])
  })

  it('has a row for every folder that has a door', () => {
    // src/main/index.ts is no door: it is where Electron begins.
    const doors = globSync('src/*/**/index.ts', { cwd: root })
      .map((path) => dirname(path))
      .filter((door) => door !== 'src/main')
    const covered = rows.map((row) => row.files.replace('/**', ''))
    const open = doors.filter(
      (door) => !covered.some((folder) => door === folder || door.startsWith(`${folder}/`)),
    )
    expect(open).toEqual([])
  })
})
