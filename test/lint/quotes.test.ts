import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

it('words have straight quotes and apostrophes everywhere, in the window as in the terminal', () => {
  const mixed = globSync('src/**/*.{ts,tsx}', { cwd: root }).flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        /[\u2018\u2019\u201c\u201d]|&[lr][sd]quo;/.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [],
      ),
  )
  expect(mixed).toEqual([])
})
