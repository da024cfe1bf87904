import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { missing } from '#test/needs'
import { programEntry } from '#test/program-entry'

const folder = dirname(programEntry)
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

/** A built file and all that is loaded along with it. */
function loadedWith(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found
  found.add(file)
  for (const [, next = ''] of read(file).matchAll(/^(?:import|export)\b[^;]*?"\.\/([^"]+)"/gm))
    loadedWith(next, found)
  return found
}

/** The schemas of the contracts, which take a tenth of a command's time to make, and a thread's memory. */
const makesSchemas = (file: string) => [...loadedWith(file)].some((name) => read(name).includes('ZodObject'))

describe.skipIf(missing('built'))('the built program', () => {
  it('makes no schemas in a thread', () => {
    const threads = readdirSync(folder).filter((name) => name.endsWith('-worker.js'))
    expect(threads.length).toBeGreaterThan(4)
    expect(threads.filter(makesSchemas)).toEqual([])
  })

  it('makes no schemas to restore, but for those who talk through a contract', () => {
    const verb = (name: string) => {
      const files = readdirSync(folder).filter((file) => file.startsWith(`${name}-`) && file.endsWith('.js'))
      return files.flatMap((file) => (makesSchemas(file) ? [name] : []))
    }
    expect(makesSchemas('reprise.js')).toBe(false)
    expect(verb('command-line')).toEqual([])
    expect(verb('restore')).toEqual([])
    expect(verb('engine-host')).toEqual(['engine-host'])
  })
})
