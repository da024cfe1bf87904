/**
 * What is started as the engine host: which Node, which program. Never Electron as Node: the shipped app has that
 * switched off, and what may become root must not contain a browser.
 */
import { dirname, join } from 'node:path'
import { productFile } from '#main/product'

/** A program by absolute path, and its arguments. No shell ever sees them. */
export interface EngineCommand {
  readonly file: string
  readonly argv: readonly string[]
}

/**
 * In a checkout the program is the source or the build this file belongs to, and Node is the one in `node_modules`. The
 * package has both in its `resources` folder. Throws when there is no Node.
 */
export function engineCommand(): EngineCommand {
  const entry = import.meta.filename.endsWith('.ts')
    ? join(dirname(import.meta.dirname), 'reprise.ts')
    : (productFile('engine/reprise.js') ?? join(import.meta.dirname, 'reprise.js'))
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const inside = productFile(`node/bin/${name}`, `node_modules/node/bin/${name}`)
  const node = inside ?? (process.versions['electron'] === undefined ? process.execPath : null)
  if (node === null) throw new Error('there is no Node to run the engine host with')
  return { file: node, argv: [entry, 'engine-host'] }
}

/** Where the Debian package puts it, which its polkit rule and the script itself name. */
const installedScript = '/opt/Reprise/resources/bin/engine-host'

/**
 * What is started with an administrator's rights. The installed package has a script for it that takes no arguments, which is what
 * its polkit rule is about; elsewhere it is the same as without.
 */
export function elevatedCommand(): EngineCommand {
  return productFile('bin/engine-host') === installedScript
    ? { file: installedScript, argv: [] }
    : engineCommand()
}
