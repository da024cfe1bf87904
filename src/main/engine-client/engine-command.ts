/**
 * What is started as the engine host: which Node, which program. Never Electron as Node: the shipped app has that switched off, and
 * what may become root must not contain a browser.
 */
import { accessSync, constants } from 'node:fs'
import { dirname, join } from 'node:path'

/** A program by absolute path, and its arguments. No shell ever sees them. */
export interface EngineCommand {
  readonly file: string
  readonly argv: readonly string[]
}

/** Where this file lies decides: in the source tree, in `out/main`, or in the package's `resources/engine`. */
export function engineCommand(): EngineCommand {
  const fromSource = import.meta.filename.endsWith('.ts')
  const entry = fromSource
    ? join(dirname(import.meta.dirname), 'reprise.ts')
    : join(import.meta.dirname, 'reprise.js')
  return { file: findNode(), argv: [entry, 'engine-host'] }
}

/** The packaged Node, the Node of the checkout, or the Node that runs this, in that order. */
function findNode(): string {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const candidates = [
    join(dirname(import.meta.dirname), 'node', 'bin', name),
    ...parents(import.meta.dirname).map((folder) => join(folder, 'node_modules', 'node', 'bin', name)),
    ...(process.versions['electron'] === undefined ? [process.execPath] : []),
  ]
  const found = candidates.find(isExecutable)
  if (found === undefined) throw new Error(`no Node to run the engine host with: ${candidates.join(', ')}`)
  return found
}

function parents(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [] : [parent, ...parents(parent)]
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
