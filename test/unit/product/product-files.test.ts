import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { productFile, productFileFrom } from '#main/product'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-product-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function lay(...files: readonly string[]): void {
  for (const file of files) {
    const path = join(folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, file.endsWith('package.json') ? '{"name":"reprise","version":"1"}' : '')
  }
}
const find = (from: string, ...names: readonly string[]) => productFileFrom(join(folder, from), ...names)

describe('a file of the product', () => {
  it('is never one that lies beside or above the product, where others may put what they like', () => {
    lay('engine/reprise.js', 'node/bin/node', 'repo/package.json', 'repo/out/main/reprise.js')
    expect(find('repo/out/main', 'engine/reprise.js')).toBeNull()
    expect(find('repo/out/main', 'node/bin/node', 'node_modules/node/bin/node')).toBeNull()
  })

  it('is the nearest one in a checkout', () => {
    lay('repo/package.json', 'repo/assets/practice.dmg', 'repo/node_modules/node/bin/node')
    expect(find('repo/src/main/product', 'assets/practice.dmg')).toBe(
      join(folder, 'repo/assets/practice.dmg'),
    )
    expect(find('repo/src/main/product', 'node/bin/node', 'node_modules/node/bin/node')).toBe(
      join(folder, 'repo/node_modules/node/bin/node'),
    )
  })

  it('lies beside the archive where the app does', () => {
    lay('resources/app.asar/package.json', 'resources/app.asar/out/renderer/index.html')
    lay('resources/engine/reprise.js', 'resources/package.json', 'engine/other.js')
    const main = 'resources/app.asar/out/main'
    expect(find(main, 'engine/reprise.js')).toBe(join(folder, 'resources/engine/reprise.js'))
    expect(find(main, 'out/renderer/index.html')).toBe(
      join(folder, 'resources/app.asar/out/renderer/index.html'),
    )
    expect(find(main, 'engine/other.js')).toBeNull()
    expect(find('resources/engine', 'engine/reprise.js')).toBe(join(folder, 'resources/engine/reprise.js'))
  })

  it('is none where no folder is the product’s', () => {
    lay('engine/reprise.js')
    expect(find('somewhere/deep', 'engine/reprise.js')).toBeNull()
  })

  it('is found from here', () => {
    expect(productFile('package.json')).toBe(join(import.meta.dirname, '../../../package.json'))
  })
})
